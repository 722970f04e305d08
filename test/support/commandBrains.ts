/** Brains on the test server for the command line: conversations in them, and what must be true of them in the end. */
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { expect } from "@effect/vitest"
import { Effect, Exit, Option, Redacted, Scope } from "effect"
import type { SqlClient } from "effect/sql"
import { initBrain } from "../../src/services/Brain.ts"
import { Database } from "../../src/services/Database.ts"
import { freshDatabase } from "./brains.ts"
import { conversation, putPages, type TestPage } from "./extraction.ts"

const pagesUnlessTold = 40
const segments = 2
const messages = 2

/** A brain with an address. */
export interface CommandBrain {
  readonly url: string
  readonly put: (pages: ReadonlyArray<TestPage>) => Promise<void>
  readonly query: <A extends object>(text: string) => Promise<ReadonlyArray<A>>
  /** Every fact of every page once, every page marked, nothing held. */
  readonly expectWhole: (pages?: number, killed?: ReadonlyArray<number>) => Promise<void>
}

/** Makes brains; they go when it is closed. */
export interface CommandBrains {
  /** A brain with so many conversations, each of two segments of two messages, `chats/0` and on. */
  readonly make: (pages?: number) => Promise<CommandBrain>
  readonly close: () => Promise<void>
}

/** Opens a maker of brains. */
export const commandBrains = async (): Promise<CommandBrains> => {
  const scope = await Effect.runPromise(Scope.make())
  return {
    make: async (count = pagesUnlessTold) => {
      const url = await Effect.runPromise(freshDatabase.pipe(Scope.provide(scope)))
      const run = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient | PgClient.PgClient | Database>) =>
        Effect.runPromise(
          effect.pipe(
            Effect.provide(Database.layerPostgres({ url: Redacted.make(url) })),
            Effect.provide(NodeServices.layer)
          )
        )
      const put = async (pages: ReadonlyArray<TestPage>) => {
        await run(putPages(pages))
      }
      const query = <A extends object>(text: string) =>
        run(Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe<A>(text)))
      await run(initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(64) }))
      await put(
        Array.from({ length: count }, (_, index) => ({
          slug: `chats/${index}`,
          body: conversation(`c${index}`, messages, segments)
        }))
      )
      const expectWhole = async (pages = pagesUnlessTold, killed: ReadonlyArray<number> = []) => {
        const facts = await query<{ fact: string; page: string }>(
          "select fact, source_markdown_slug as page from facts where source = 'cli:extract-conversation-facts'"
        )
        expect(facts).toHaveLength(pages * segments * messages)
        expect(new Set(facts.map(({ fact, page }) => `${page} ${fact}`)).size).toBe(facts.length)
        const marks = await query(
          "select 1 as one from facts where source like 'cli:extract-conversation-facts:terminal%'"
        )
        expect(marks).toHaveLength(pages)
        // One that was killed between a page's commit and giving back its lease leaves the lease to its expiry.
        const leases = await query<{ holder_pid: number }>("select holder_pid from gbrain_cycle_locks")
        expect(leases.filter((lease) => !killed.includes(lease.holder_pid))).toEqual([])
      }
      return { url, put, query, expectWhole }
    },
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
