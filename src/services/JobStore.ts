/**
 * Jobs in the brain: what was handed over, who works on it, how far it is, how it ended. That a job is worked on by one process at a
 * time, and by another when that one dies, is the engine's part (`services/jobs/engine.ts`); this is what is known of it.
 *
 * A holder writes under the fence it was given when it took the job. One that was asleep, or cut off, while another took over
 * finds its fence superseded, and writes nothing more.
 */
import { Context, Effect, Layer, Option, Random, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Job, type JobStatus } from "../domain/Job.ts"
import * as Money from "../domain/Money.ts"
import type { ProgressEvent } from "../domain/ProgressSnapshot.ts"
import { hasOwnTable } from "./database/ownTables.ts"
import { resilient } from "./database/Resilience.ts"
import { HostProcess } from "./HostProcess.ts"
import type { Purse } from "./Ledger.ts"

/** A job to be. */
export interface NewJob {
  readonly command: string
  readonly sourceId: Option.Option<string>
  readonly asked: Schema.Json
  /** What makes it the same as another: of those with one `asking`, one is alive at a time. */
  readonly asking: string
  readonly workers: string
}

/** A job in somebody's hands. */
export interface HeldJob {
  readonly id: number
  readonly fence: number
  readonly command: string
  readonly asked: unknown
  readonly workers: string
  readonly purse: Option.Option<Purse>
  readonly deaths: number
  readonly cancelAsked: boolean
}

/** What is said of a held job: it was asked to stop, somebody else has it, or neither. */
export type Standing = "go on" | "cancel" | "taken over"

/** A job that the engine is, or was, told of; a new round of one is a new piece of work to it. */
export interface DispatchedJob {
  readonly id: number
  readonly round: number
}

/** How a job ended. */
export interface JobEnd {
  readonly status: Exclude<JobStatus, "waiting" | "running">
  readonly report: Schema.Json
  readonly error: string | null
}

/** The brain's jobs. */
export class JobStore extends Context.Service<
  JobStore,
  {
    /** Adds jobs that share a purse, in one transaction; in place of one that is under way already, that one is answered. */
    readonly add: (
      jobs: ReadonlyArray<NewJob>,
      cap: Option.Option<Money.Money>
    ) => Effect.Effect<ReadonlyArray<{ readonly job: Job; readonly created: boolean }>, SqlError.SqlError>
    /** The latest first; those that are alive, or all. */
    readonly list: (options: {
      readonly alive: boolean
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Job>, SqlError.SqlError>
    readonly get: (id: number) => Effect.Effect<Option.Option<Job>, SqlError.SqlError>
    /** Ends a job that nobody works on, as far as is heard, and asks whoever works on one to stop. */
    readonly askToCancel: (id: number) => Effect.Effect<Option.Option<Job>, SqlError.SqlError>
    /** How many are alive. */
    readonly countAlive: Effect.Effect<number, SqlError.SqlError>
    /** Jobs that the engine was not told of yet, and that it was. */
    readonly undispatched: Effect.Effect<ReadonlyArray<DispatchedJob>, SqlError.SqlError>
    readonly dispatched: (id: number) => Effect.Effect<void, SqlError.SqlError>
    /** Jobs that the engine was told of and of which nothing was heard for minutes; and a new round for one that it has done with. */
    readonly unheardOf: Effect.Effect<ReadonlyArray<DispatchedJob>, SqlError.SqlError>
    readonly newRound: (job: DispatchedJob) => Effect.Effect<void, SqlError.SqlError>
    /** Takes a job into this process's hands; none when it has ended. */
    readonly take: (id: number) => Effect.Effect<Option.Option<HeldJob>, SqlError.SqlError>
    /** Tells how far it is. */
    readonly tell: (job: HeldJob, progress: ProgressEvent) => Effect.Effect<Standing, SqlError.SqlError>
    /** Writes down how it ended; false when somebody else has it. */
    readonly end: (job: HeldJob, end: JobEnd) => Effect.Effect<boolean, SqlError.SqlError>
    /** Gives it back unfinished: this process stops, another may go on; false when one has. */
    readonly giveBack: (job: HeldJob) => Effect.Effect<boolean, SqlError.SqlError>
  }
>()("gbrain/JobStore") {
  /** The jobs of the open brain. */
  static readonly layer = Layer.effect(
    JobStore,
    Effect.suspend(() => make)
  )
}

/** One of whom nothing is heard for so long is not there any more, or without his database. He says something every second. */
const silence = "2 minutes"

const decodeJobs = Schema.decodeUnknownEffect(Schema.Array(Job))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { host, pid } = yield* HostProcess
  // A container that is started again has its name and number again.
  const holder = `${host} ${pid} ${(yield* Random.next).toString(36).slice(2)}`
  // A brain that is only looked at may have been made before there were jobs.
  const there = yield* hasOwnTable(sql, "jobs")

  const shown = sql.literal(`command, source_id, workers, (cap_picousd / 1e12)::float8 as cap_usd, status,
    to_json(submitted_at at time zone 'UTC') #>> '{}' || 'Z' as submitted_at,
    to_json(started_at at time zone 'UTC') #>> '{}' || 'Z' as started_at,
    to_json(finished_at at time zone 'UTC') #>> '{}' || 'Z' as finished_at,
    dispatched_at is not null as passed_on, cancel_asked_at is not null as cancel_asked, fence as taken, host, pid,
    extract(epoch from clock_timestamp() - heard_at)::float8 as silent_seconds, deaths, progress, report, error`)
  const decoded = (rows: ReadonlyArray<unknown>) => Effect.orDie(decodeJobs(rows))
  const first = (rows: ReadonlyArray<unknown>) =>
    Effect.map(decoded(rows), ([job]) => Option.fromUndefinedOr(job))

  const addOne = (job: NewJob, purse: string, cap: string | null) =>
    Effect.gen(function* () {
      const [made] = yield* sql<{ readonly id: number }>`
        insert into gbrain_effect.jobs (command, source_id, asked, asking, workers, purse, cap_picousd)
        values (${job.command}, ${Option.getOrNull(job.sourceId)}, ${JSON.stringify(job.asked)}::jsonb, ${job.asking},
          ${job.workers}, ${purse}, ${cap}::numeric)
        on conflict (asking) where status in ('waiting', 'running') and cancel_asked_at is null do nothing returning id::int as id`
      const rows = yield* made === undefined
        ? sql`select id::int as id, ${shown} from gbrain_effect.jobs where asking = ${job.asking}
              and status in ('waiting', 'running') and cancel_asked_at is null`
        : sql`select id::int as id, ${shown} from gbrain_effect.jobs where id = ${made.id}`
      const found = yield* first(rows)
      return Option.map(found, (it) => ({ job: it, created: made !== undefined }))
    }).pipe(
      // The one that was under way ended between the two statements.
      Effect.repeat({ until: Option.isSome }),
      Effect.flatMap(Effect.fromOption),
      Effect.catchTag("NoSuchElementError", Effect.die)
    )

  const underFence = (job: HeldJob) => sql`id = ${job.id} and fence = ${job.fence} and status = 'running'`

  return JobStore.of({
    add: (jobs, cap) =>
      sql.withTransaction(
        Effect.gen(function* () {
          const [purse] = yield* sql<{ readonly name: string }>`select 'jobs ' || gen_random_uuid() as name`
          const most = Option.getOrNull(Option.map(cap, String))
          return yield* Effect.forEach(jobs, (job) => addOne(job, purse?.name ?? "", most))
        })
      ),
    list: ({ alive, limit }) =>
      there
        ? Effect.flatMap(
            sql`select id::int as id, ${shown} from gbrain_effect.jobs
                where ${alive ? sql`status in ('waiting', 'running')` : sql`true`} order by id desc limit ${limit}`,
            decoded
          )
        : Effect.succeed([]),
    get: (id) =>
      there
        ? Effect.flatMap(sql`select id::int as id, ${shown} from gbrain_effect.jobs where id = ${id}`, first)
        : Effect.succeedNone,
    askToCancel: (id) =>
      Effect.flatMap(
        // The fence is for one who wakes up after that.
        sql`with stopped as (
              select id, status = 'waiting' or heard_at < clock_timestamp() - ${silence}::interval as at_once
              from gbrain_effect.jobs where id = ${id} and status in ('waiting', 'running') for update
            )
            update gbrain_effect.jobs job set cancel_asked_at = coalesce(cancel_asked_at, clock_timestamp()),
              status = case when at_once then 'cancelled' else status end,
              fence = case when at_once then fence + 1 else fence end,
              finished_at = case when at_once then clock_timestamp() else finished_at end
            from stopped where job.id = stopped.id returning job.id::int as id, ${shown}`,
        first
      ),
    countAlive: Effect.map(
      sql<{ readonly n: number }>`
        select count(*)::int as n from gbrain_effect.jobs where status in ('waiting', 'running')`,
      ([row]) => row?.n ?? 0
    ),
    undispatched: sql<DispatchedJob>`
      select id::int as id, round from gbrain_effect.jobs where status = 'waiting' and dispatched_at is null order by id`,
    dispatched: (id) =>
      Effect.asVoid(sql`update gbrain_effect.jobs set dispatched_at = clock_timestamp() where id = ${id}`),
    unheardOf: sql<DispatchedJob>`
      select id::int as id, round from gbrain_effect.jobs
      where status in ('waiting', 'running')
        and greatest(dispatched_at, heard_at) < clock_timestamp() - ${silence}::interval`,
    newRound: ({ id, round }) =>
      Effect.asVoid(
        sql`update gbrain_effect.jobs set status = 'waiting', round = round + 1, dispatched_at = null
            where id = ${id} and round = ${round} and status in ('waiting', 'running')`
      ),
    take: (id) =>
      resilient(sql<TakenRow>`
        with former as (
          select id, host, pid, purse, status = 'running' and holder <> ${holder} as died,
            coalesce((progress ->> 'done')::int, 0) = 0 as fruitless
          from gbrain_effect.jobs where id = ${id} and status in ('waiting', 'running') for update
        ),
        -- What it held of the purse stays held, but nobody waits for it to be given back.
        buried as (
          update gbrain_effect.ledger set heard_at = '-infinity' from former
          where died and ledger.purse = former.purse and starts_with(owner, former.host || ' ' || former.pid || ' ')
        )
        update gbrain_effect.jobs job set fence = fence + 1, status = 'running',
          deaths = deaths + case when died and fruitless then 1 else 0 end,
          holder = ${holder}, host = ${host}, pid = ${pid}, heard_at = clock_timestamp(), progress = null,
          started_at = coalesce(started_at, clock_timestamp())
        from former where job.id = former.id
        returning job.id::int as id, fence, command, asked, workers, job.purse, cap_picousd::text as cap, deaths,
          cancel_asked_at is not null as cancel_asked`).pipe(
        Effect.map(([row]) => Option.map(Option.fromUndefinedOr(row), held))
      ),
    tell: (job, progress) =>
      Effect.map(
        sql<{ readonly cancel_asked: boolean }>`
          update gbrain_effect.jobs set progress = ${JSON.stringify(progress)}::jsonb, heard_at = clock_timestamp()
          where ${underFence(job)} returning cancel_asked_at is not null as cancel_asked`,
        ([row]) => (row === undefined ? "taken over" : row.cancel_asked ? "cancel" : "go on")
      ),
    end: (job, { error, report, status }) =>
      resilient(sql`
        update gbrain_effect.jobs set status = ${status}, report = ${JSON.stringify(report)}::jsonb, error = ${error},
          finished_at = clock_timestamp(), heard_at = clock_timestamp()
        where ${underFence(job)} returning id`).pipe(Effect.map((rows) => rows.length > 0)),
    giveBack: (job) =>
      resilient(sql`
        update gbrain_effect.jobs set status = 'waiting', heard_at = clock_timestamp()
        where ${underFence(job)} returning id`).pipe(Effect.map((rows) => rows.length > 0))
  })
})

interface TakenRow {
  readonly id: number
  readonly fence: number
  readonly command: string
  readonly asked: unknown
  readonly workers: string
  readonly purse: string
  readonly cap: string | null
  readonly deaths: number
  readonly cancel_asked: boolean
}

const held = (row: TakenRow): HeldJob => ({
  id: row.id,
  fence: row.fence,
  command: row.command,
  asked: row.asked,
  workers: row.workers,
  purse: Option.map(Option.fromNullOr(row.cap), (cap) => ({
    name: row.purse,
    cap: Money.fromPico(BigInt(cap))
  })),
  deaths: row.deaths,
  cancelAsked: row.cancel_asked
})
