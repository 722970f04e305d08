/**
 * Indexes that are made and dropped while everybody works on their table: `concurrently`, which waits for others and lets nobody wait.
 * A process that dies in the middle leaves a database that goes on with it, or an index that is not whole.
 */
import { Duration, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { isDatabaseAway, resilient } from "./Resilience.ts"

/** An index to be made. */
export interface ConcurrentIndex {
  readonly name: string
  /** `create index concurrently if not exists` of that name. */
  readonly statement: string
  /**
   * For how long it may wait for one transaction of somebody else, which can be any on the database that began before; without end
   * where nothing is said. Fails then, and leaves an index that is not whole.
   */
  readonly patience?: Duration.Duration
}

/** Beyond what fits in here, building an HNSW index becomes many times slower. */
const buildMemory = "512MB"

/** Whether an index is there, and whether it is whole. */
const stateOf = Effect.fnUntraced(function* (name: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* resilient(sql<{ readonly valid: boolean; readonly builder: number | null }>`
    select indisvalid as valid, pid as builder from pg_index
    left join pg_stat_progress_create_index on index_relid = indexrelid
    where indexrelid = to_regclass(${name})`)
  return row
})

const pollEvery = "1 second"

/**
 * Makes an index without keeping anybody from reading or writing. One that a process of ours began before it died is
 * waited for if the database still works on it, and else begun anew. Answers whether there was anything to do.
 */
export const makeIndex = Effect.fnUntraced(function* ({ name, patience, statement }: ConcurrentIndex) {
  const waits = patience === undefined ? {} : { lock_timeout: `${Duration.toMillis(patience)}ms` }
  for (let looks = 0; ; looks++) {
    const found = yield* stateOf(name)
    if (found?.valid === true) return looks > 0
    if (found !== undefined && found.builder !== null) {
      yield* Effect.sleep(pollEvery)
      continue
    }
    if (found !== undefined) yield* alone(`drop index concurrently if exists ${name}`, waits)
    // If the connection breaks, the database may go on with it: looked at again above.
    yield* Effect.catchIf(
      alone(statement, { maintenance_work_mem: buildMemory, ...waits }),
      isDatabaseAway,
      () => Effect.sleep(pollEvery)
    )
  }
})

/**
 * Runs a statement outside of transactions, and on a connection of its own: what is sent behind it would wait for it, leases among
 * others. `settings` are the connection's for as long as it runs.
 */
export const alone = (statement: string, settings: Readonly<Record<string, string>> = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const connection = yield* sql.reserve
      const run = (text: string) => connection.executeUnprepared(text, [], undefined)
      const reset = Effect.forEach(Object.keys(settings), (name) => Effect.ignore(run(`reset ${name}`)))
      yield* Effect.forEach(Object.entries(settings), ([name, value]) =>
        run(`set ${name} = '${value}'`)
      ).pipe(Effect.andThen(run(statement)), Effect.ensuring(reset))
    })
  )
