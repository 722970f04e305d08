/**
 * Segments that a model will not or cannot answer usefully. Asking again costs money each time, so the times are counted
 * for each text, and after a few runs the segment is given up until the text changes or `--force` is used.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { resilient } from "./database/Resilience.ts"
import { joinCalls } from "./joinCalls.ts"

/** After how many failed runs a segment is given up. */
export const FailurePolicy = Context.Reference("gbrain/FailurePolicy", {
  defaultValue: () => ({ maxAttempts: 3 })
})

/** A failure that is on record. */
export interface SegmentFailure {
  readonly key: string
  readonly attempts: number
  readonly reason: string
  readonly givenUp: boolean
}

/** The record of failed segments. */
export class SegmentFailures extends Context.Service<
  SegmentFailures,
  {
    /** What is on record about these answers (`answerKey`). */
    readonly find: (
      keys: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, SegmentFailure>, SqlError.SqlError>
    /** One more failure; the record says whether that was one too many. */
    readonly record: (failure: {
      readonly key: string
      readonly sourceId: string
      readonly slug: string
      readonly reason: string
    }) => Effect.Effect<SegmentFailure, SqlError.SqlError>
    /** Forgets what is on record: they were answered, or are to be tried afresh. */
    readonly forget: (keys: ReadonlyArray<string>) => Effect.Effect<void, SqlError.SqlError>
  }
>()("gbrain/SegmentFailures") {
  /** The record of the open brain. */
  static readonly layer = Layer.effect(
    SegmentFailures,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { maxAttempts } = yield* FailurePolicy
      const read = (row: { readonly key: string; readonly attempts: number; readonly reason: string }) => ({
        key: row.key,
        attempts: row.attempts,
        reason: row.reason,
        givenUp: row.attempts >= maxAttempts
      })
      const findJoined = joinCalls({
        rowsAtMost: 512,
        run: (keys: ReadonlyArray<string>) =>
          resilient(sql<{ readonly key: string; readonly attempts: number; readonly reason: string }>`
            select key, attempts, reason from gbrain_effect.segment_failures where key = any(${keys}::text[])`).pipe(
            Effect.map((rows) => rows.map(read))
          )
      })
      return SegmentFailures.of({
        find: Effect.fnUntraced(function* (keys) {
          if (keys.length === 0) return new Map()
          const asked = new Set(keys)
          return new Map(
            (yield* findJoined(keys)).flatMap((it) => (asked.has(it.key) ? [[it.key, it] as const] : []))
          )
        }),
        record: Effect.fnUntraced(function* ({ key, reason, slug, sourceId }) {
          const rows = yield* resilient(
            sql<{ readonly key: string; readonly attempts: number; readonly reason: string }>`
              insert into gbrain_effect.segment_failures as failure (key, source_id, slug, attempts, reason)
              values (${key}, ${sourceId}, ${slug}, 1, ${reason})
              on conflict (key) do update set attempts = failure.attempts + 1, reason = excluded.reason,
                updated_at = clock_timestamp()
              returning key, attempts, reason`
          )
          return read(rows[0] ?? { key, attempts: 1, reason })
        }),
        forget: (keys) =>
          keys.length === 0
            ? Effect.void
            : resilient(
                sql`delete from gbrain_effect.segment_failures where key = any(${keys}::text[])`
              ).pipe(Effect.asVoid)
      })
    })
  )
}
