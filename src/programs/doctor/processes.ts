/** What processes hold, and whether jobs have somebody who does them. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Brain } from "../../services/Brain.ts"
import { HostProcess } from "../../services/HostProcess.ts"
import { liveRunners } from "../../services/jobs/engine.ts"
import { JobStore } from "../../services/JobStore.ts"
import { ok, warn } from "./Check.ts"

/** Whether leases belong to processes that are gone. */
export const leases = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const self = yield* HostProcess
  const rows = yield* sql<{
    readonly id: string
    readonly pid: number
    readonly host: string | null
    readonly expired: boolean
  }>`
    select id, holder_pid as pid, holder_host as host, ttl_expires_at < now() as expired from gbrain_cycle_locks`
  const stale = rows.filter((row) => row.expired || (row.host === self.host && !self.isAlive(row.pid)))
  return stale.length === 0
    ? ok("leases", `${rows.length} held`)
    : warn(
        "leases",
        `${stale.length} of ${rows.length} belong to processes that are gone; the next run takes them over`,
        "delete from gbrain_cycle_locks where ttl_expires_at < now();"
      )
})

/** Whether jobs wait that nobody works on. */
export const jobs = Effect.gen(function* () {
  const store = yield* JobStore
  const { kind } = yield* Brain
  const alive = yield* store.countAlive
  // An embedded brain that could be opened here is open nowhere else.
  const runners = kind === "postgres" ? yield* liveRunners : []
  const text = alive === 1 ? "1 job waits or runs" : `${alive} jobs wait or run`
  return alive > 0 && runners.length === 0
    ? warn("jobs", `${text}, and nobody works on jobs`, "gbrain jobs work")
    : ok("jobs", text)
}).pipe(Effect.provide(JobStore.layer))
