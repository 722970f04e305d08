/**
 * The brain remembers what was run on it: when, by whom, how it ended, what it cost. A run that never ended is one whose
 * process died; `status` can tell by its host and process id.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as Money from "../domain/Money.ts"
import { HostProcess } from "./HostProcess.ts"
import { hasOwnTables } from "./database/ownTables.ts"
import { resilient } from "./database/Resilience.ts"

/** How a run ended. */
export type RunStatus = "completed" | "incomplete" | "budget" | "failed" | "interrupted"

/** A run that was begun. */
export interface Run {
  readonly id: string
}

/** The record of bulk runs. */
export class Runs extends Context.Service<
  Runs,
  {
    /** Writes down that a run begins now. */
    readonly begin: (options: {
      readonly command: string
      readonly workers: number
    }) => Effect.Effect<Run, SqlError.SqlError>
    /** Writes down how it ended. `report` is what the command reports, as JSON. */
    readonly finish: (
      run: Run,
      options: { readonly status: RunStatus; readonly spent: Money.Money; readonly report: Schema.Json }
    ) => Effect.Effect<void, SqlError.SqlError>
    /** What the last ten runs of a command reported, the latest first. */
    readonly lastReports: (command: string) => Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>
  }
>()("gbrain/Runs") {
  /** The runs of the open brain. */
  static readonly layer = Layer.effect(
    Runs,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const self = yield* HostProcess
      const empty = !(yield* hasOwnTables(sql))
      return Runs.of({
        begin: Effect.fnUntraced(function* ({ command, workers }) {
          const [row] = yield* sql<{ readonly id: bigint }>`
            insert into gbrain_effect.runs (command, workers, host, pid)
            values (${command}, ${workers}, ${self.host}, ${self.pid}) returning id`
          return { id: String(row?.id ?? 0) }
        }),
        finish: (run, { report, spent, status }) =>
          resilient(sql`
            update gbrain_effect.runs set status = ${status}, finished_at = clock_timestamp(),
              spent_usd = ${Money.toDecimal(spent, 12)}::numeric, report = ${JSON.stringify(report)}::jsonb
            where id = ${run.id}::bigint`).pipe(Effect.asVoid),
        lastReports: (command) =>
          empty
            ? Effect.succeed([])
            : sql<{ readonly report: unknown }>`
            select report from gbrain_effect.runs where command = ${command} and report is not null
            order by id desc limit 10`.pipe(Effect.map((rows) => rows.map(({ report }) => report)))
      })
    })
  )
}
