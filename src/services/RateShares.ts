/**
 * What part of a provider's allowance this process may use, when several work on one brain with one key. Every process tells,
 * about once a second, how much it wants; the allowance is divided by water-filling: who wants little gets what he wants,
 * the others get equal parts of the rest. A process that falls silent is left out after a few seconds.
 *
 * Shares rather than a common bucket: a call must not wait for a statement, one statement a second serves any number of calls, and
 * while the database is away everybody goes on with the share he has.
 */
import { Context, Duration, Effect, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { HostProcess } from "./HostProcess.ts"

/** What a process tells about one limit. */
export interface Demand {
  /** Requests a minute that it could send now; infinite when calls are waiting. */
  readonly perMinute: number
  /** Milliseconds for which the provider wants to be left alone. */
  readonly pauseMs: number
}

/** What the others tell. */
export interface Others {
  /** Requests a minute that each wants; see `fairPart`. */
  readonly demands: ReadonlyArray<number>
  /** The longest pause that any process was asked for, in milliseconds from now. */
  readonly pauseMs: number
}

/** How shares are agreed on. */
export const SharePolicy = Context.Reference("gbrain/SharePolicy", {
  defaultValue: () => ({
    /** Between two statements. */
    every: Duration.seconds(1),
    /** A process not heard of for so long has no part. */
    silentAfter: Duration.seconds(5)
  })
})

/** Agrees with other processes on shares. */
export class RateShares extends Context.Service<
  RateShares,
  {
    /**
     * Takes part for the key from now on, as long as the service lives: `demand` is asked, and `onOthers` told, from time to time.
     * Ends when the others were asked once, or could not be. One takes part for a key at a time: who joins later takes the place of
     * who did before.
     */
    readonly join: (
      key: string,
      options: { readonly demand: () => Demand; readonly onOthers: (others: Others) => void }
    ) => Effect.Effect<void>
  }
>()("gbrain/RateShares") {
  /** The whole allowance is this process's: an embedded brain has one process. */
  static readonly layerAlone = Layer.succeed(RateShares, RateShares.of({ join: () => Effect.void }))

  /** Shares agreed on through the brain's database. */
  static readonly layer = Layer.effect(
    RateShares,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const self = yield* HostProcess
      const policy = yield* SharePolicy
      const joined = new Map<string, Parameters<RateShares["Service"]["join"]>[1]>()
      const silent = Duration.toSeconds(policy.silentAfter)

      // One statement: what we want, and what the others want. Without the database everybody goes on with the share he has.
      const agree = Effect.gen(function* () {
        if (joined.size === 0) return
        const keys = [...joined.keys()]
        const demands = keys.map((key) => joined.get(key)?.demand() ?? { perMinute: 0, pauseMs: 0 })
        const others = yield* sql<{ key: string; per_minute: string; pause_ms: number }>`
          with ours as (
            insert into gbrain_effect.rate_shares as share (key, host, pid, per_minute, paused_until, seen_at)
            select key, ${self.host}, ${self.pid}, per_minute, now() + make_interval(secs => pause_ms / 1000.0), now()
            from unnest(${keys}::text[], ${demands.map(({ perMinute }) => String(perMinute))}::text[]::float8[],
              ${demands.map(({ pauseMs }) => Math.ceil(pauseMs))}::int[]) as told(key, per_minute, pause_ms)
            on conflict (key, host, pid) do update set per_minute = excluded.per_minute,
              paused_until = excluded.paused_until, seen_at = excluded.seen_at
          )
          select key, per_minute::text, greatest(0, extract(epoch from paused_until - now()) * 1000)::float8 as pause_ms
          from gbrain_effect.rate_shares
          where key = any(${keys}::text[]) and not (host = ${self.host} and pid = ${self.pid})
            and seen_at > now() - make_interval(secs => ${silent})`
        keys.forEach((key) => {
          const theirs = others.filter((row) => row.key === key)
          joined.get(key)?.onOthers({
            demands: theirs.map((row) => Number(row.per_minute)),
            pauseMs: Math.max(0, ...theirs.map((row) => row.pause_ms))
          })
        })
      }).pipe(
        Effect.timeout(policy.silentAfter),
        Effect.catchCause((cause) => Effect.logDebug("Shares of rate limits were not agreed on", cause))
      )

      yield* agree.pipe(Effect.schedule(Schedule.spaced(policy.every)), Effect.forkScoped)
      yield* Effect.addFinalizer(() =>
        sql`delete from gbrain_effect.rate_shares where host = ${self.host} and pid = ${self.pid}`.pipe(
          Effect.interruptible,
          Effect.timeout(policy.silentAfter),
          Effect.ignore
        )
      )
      return RateShares.of({
        join: (key, options) =>
          Effect.andThen(
            Effect.sync(() => joined.set(key, options)),
            agree
          )
      })
    })
  )
}

/**
 * The part, above 0 and at most 1, of an allowance that is ours when others want so much of it (requests a minute; infinity
 * for as much as they can get): water-filling, with us among the thirsty. `limit` is the allowance, in requests a minute;
 * infinity when it is not known.
 */
export const fairPart = (limit: number, others: ReadonlyArray<number>): number => {
  let left = 1
  let drinkers = others.length + 1
  for (const demand of [...others].sort((a, b) => a - b)) {
    const part = demand === Infinity ? Infinity : limit === Infinity ? 0 : demand / limit
    if (part >= left / drinkers) break
    left -= part
    drinkers--
  }
  return left / drinkers
}
