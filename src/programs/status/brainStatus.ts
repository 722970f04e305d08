/** What state a brain is in: pages, conversations done and to do, facts, who holds what now, what was run and what it cost. */
import { Effect, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Job } from "../../domain/Job.ts"
import * as Money from "../../domain/Money.ts"
import { Brain } from "../../services/Brain.ts"
import { HostProcess } from "../../services/HostProcess.ts"
import { JobStore } from "../../services/JobStore.ts"
import { ledgerStanding } from "../../services/Ledger.ts"
import { Sources } from "../../services/Sources.ts"
import { livingFact } from "../../services/search/scope.ts"
import { ListedLease, listLeases } from "../leases/leases.ts"
import { chunksWithoutVectors } from "../embed/backlog.ts"
import { conversationBacklog } from "../extract-conversation-facts/backlog.ts"

const Count = Schema.Int

/** The state of a brain. */
export const BrainStatus = Schema.Struct({
  brain: Schema.String,
  pages: Count,
  sources: Schema.Array(
    Schema.Struct({ id: Schema.String, pages: Count, path: Schema.NullOr(Schema.String) })
  ),
  conversations: Schema.Struct({
    total: Count,
    complete: Count,
    not_applicable: Count,
    set_aside: Count,
    opted_out: Count,
    to_do: Count
  }),
  facts: Count,
  facts_without_embedding: Count,
  chunks: Count,
  chunks_without_embedding: Count,
  /** Dollars by the brain's ledger, days and months in UTC; null for a cap that is not set. */
  spending: Schema.Struct({
    today_usd: Schema.Finite,
    this_month_usd: Schema.Finite,
    daily_cap_usd: Schema.NullOr(Schema.Finite),
    monthly_cap_usd: Schema.NullOr(Schema.Finite)
  }),
  /** Pages and segments with trouble, and why. */
  troubles: Schema.Array(Schema.Struct({ page: Schema.String, reason: Schema.String })),
  /** Jobs that wait or run. */
  jobs: Schema.Array(Job),
  leases: Schema.Array(ListedLease),
  runs: Schema.Array(
    Schema.Struct({
      command: Schema.String,
      status: Schema.String,
      started_at: Schema.String,
      seconds: Schema.NullOr(Schema.Finite),
      workers: Count,
      spent_usd: Schema.Finite,
      /** Whether that is all: a run writes down what it spent when it ends, and one that died never did. */
      spent_is_known: Schema.Boolean
    })
  )
})

/** The state of a brain. */
export type BrainStatus = typeof BrainStatus.Type

/** Rows shown of each list. */
const shown = 20

/** Finds out the state of the open brain. */
export const brainStatus = Effect.fn("brainStatus")(function* () {
  const sql = yield* SqlClient.SqlClient
  const brain = yield* Brain
  const self = yield* HostProcess
  const sources = yield* (yield* Sources).all
  const counts = yield* conversationBacklog()
  const [facts] = yield* sql<{ readonly facts: number; readonly bare: number }>`
    select count(*)::int as facts, count(*) filter (where embedding is null)::int as bare from facts fact
    where ${livingFact(sql)}`
  const chunks = yield* chunksWithoutVectors
  const troubles = yield* sql<{ readonly page: string; readonly reason: string }>`
    select slug as page, reason from gbrain_effect.pages_set_aside
    union all
    select slug, 'segment: ' || reason || ' (' || attempts || case attempts when 1 then ' run)' else ' runs)' end
    from gbrain_effect.segment_failures
    limit ${shown}`
  const leases = yield* listLeases({ limit: shown })
  const jobs = yield* Effect.flatMap(JobStore, (store) => store.list({ alive: true, limit: shown })).pipe(
    Effect.provide(JobStore.layer)
  )
  const runs = yield* sql<{
    command: string
    status: string
    started_at: string
    seconds: number | null
    workers: number
    spent_usd: number
    host: string
    pid: number
  }>`
    select command, status, to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as started_at,
      extract(epoch from finished_at - started_at)::float8 as seconds, workers, spent_usd::float8 as spent_usd, host, pid
    from gbrain_effect.runs order by id desc limit ${shown}`
  const ledger = yield* ledgerStanding
  const isGone = (host: string | null, pid: number) => host === self.host && !self.isAlive(pid)

  return {
    brain: brain.label,
    pages: sources.reduce((sum, source) => sum + source.pages, 0),
    sources: sources.map((source) => ({ id: source.id, pages: source.pages, path: source.localPath })),
    conversations: {
      total: counts.total,
      complete: counts.complete,
      not_applicable: counts.notApplicable,
      set_aside: counts.setAside,
      opted_out: counts.optedOut,
      to_do: counts.toDo
    },
    facts: facts?.facts ?? 0,
    facts_without_embedding: facts?.bare ?? 0,
    chunks: chunks.chunks,
    chunks_without_embedding: chunks.bare,
    spending: {
      today_usd: Money.toNumber(ledger.today),
      this_month_usd: Money.toNumber(ledger.thisMonth),
      daily_cap_usd: Option.getOrNull(Option.map(ledger.dailyCap, Money.toNumber)),
      monthly_cap_usd: Option.getOrNull(Option.map(ledger.monthlyCap, Money.toNumber))
    },
    troubles,
    jobs,
    leases,
    runs: runs.map(({ host, pid, ...run }) => ({
      ...run,
      status: run.status === "running" && isGone(host, pid) ? "died" : run.status,
      spent_is_known: run.status !== "running"
    }))
  } satisfies BrainStatus
})
