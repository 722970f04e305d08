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
      /** What was asked for, where another run may go on with it; see `underWaySince`. */
      readonly asked?: Schema.Json
    }) => Effect.Effect<Run, SqlError.SqlError>
    /** Writes down how it ended. `report` is what the command reports, as JSON. */
    readonly finish: (
      run: Run,
      options: { readonly status: RunStatus; readonly spent: Money.Money; readonly report: Schema.Json }
    ) => Effect.Effect<void, SqlError.SqlError>
    /**
     * Since when, by the database's clock, what is `asked` of a command is under way: the beginning of the first run of it after the
     * last one that came to its end, if with failures; now when there is none.
     */
    readonly underWaySince: (command: string, asked: Schema.Json) => Effect.Effect<string, SqlError.SqlError>
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
        begin: Effect.fnUntraced(function* ({ asked = null, command, workers }) {
          const [row] = yield* sql<{ readonly id: bigint }>`
            insert into gbrain_effect.runs (command, workers, host, pid, asked)
            values (${command}, ${workers}, ${self.host}, ${self.pid}, ${JSON.stringify(asked)}::jsonb) returning id`
          return { id: String(row?.id ?? 0) }
        }),
        finish: (run, { report, spent, status }) =>
          resilient(sql`
            update gbrain_effect.runs set status = ${status}, finished_at = clock_timestamp(),
              spent_usd = ${Money.toDecimal(spent, 12)}::numeric, report = ${JSON.stringify(report)}::jsonb
            where id = ${run.id}::bigint`).pipe(Effect.asVoid),
        underWaySince: Effect.fnUntraced(function* (command, asked) {
          if (empty) return yield* textOfNow(sql)
          // A dry run meets tables of an earlier version, without the column.
          const [row] = yield* resilient(sql<{ readonly since: string | null }>`
            with same as (
              select id, started_at, status = 'completed' or (status = 'failed' and report ->> 'stopped' is null) as whole
              from gbrain_effect.runs run
              where command = ${command} and to_jsonb(run) -> 'asked' = ${JSON.stringify(asked)}::jsonb
            )
            select min(started_at)::text as since from same
            where id > coalesce((select max(id) from same where whole), 0)`)
          return row?.since ?? (yield* textOfNow(sql))
        }),
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

const textOfNow = (sql: SqlClient.SqlClient) =>
  Effect.map(
    resilient(sql<{ readonly now: string }>`select now()::text as now`),
    ([row]) => row?.now ?? "now"
  )
