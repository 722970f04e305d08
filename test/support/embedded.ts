/**
 * Embedded databases for tests. Making one takes seconds, so each test file makes one, and between two tests it is emptied. Two
 * at the same time are two.
 */
import { PGlite } from "@electric-sql/pglite"
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm"
import { vector } from "@electric-sql/pglite-pgvector"
import { Effect } from "effect"

const free: Array<PGlite> = []

const take = async (): Promise<PGlite> =>
  free.pop() ?? (await PGlite.create({ extensions: { vector, pg_trgm } }))

// What a test left half done is undone, what it set is forgotten, what it made is gone.
const giveBack = async (pglite: PGlite): Promise<void> => {
  try {
    await pglite.exec("rollback")
    await pglite.exec("discard all")
    await pglite.exec(`
      drop schema if exists gbrain_effect cascade;
      drop schema public cascade;
      create schema public;
    `)
    free.push(pglite)
  } catch {
    await pglite.close()
  }
}

/** An empty embedded database for the life of the scope. */
export const embeddedDatabase = Effect.acquireRelease(Effect.promise(take), (pglite) =>
  Effect.promise(() => giveBack(pglite))
)
