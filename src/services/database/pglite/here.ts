/** A PGlite in the thread that asks, opened with the extensions that a brain needs. */
import { PGlite } from "@electric-sql/pglite"
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm"
import { vector } from "@electric-sql/pglite-pgvector"
import type { MessageRunner } from "./stream.ts"

/** Opens the database in a folder, or one in memory. */
export const openPglite = (directory?: string): Promise<PGlite> =>
  PGlite.create({
    ...(directory === undefined ? {} : { dataDir: directory }),
    extensions: { vector, pg_trgm }
  })

/** Runs messages in this thread, which does nothing else meanwhile. */
export const runningHere = (pglite: PGlite): MessageRunner => ({
  run: (messages, onAnswer) =>
    pglite.execProtocolRawStream(messages, {
      // PGlite reuses its buffer for the next answer.
      onRawData: (data) => onAnswer(data.slice())
    })
})
