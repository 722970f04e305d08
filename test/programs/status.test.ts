/** What `status` tells of trouble: who holds what, which runs died, which pages are left out. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { brainLayer } from "../../src/programs/extract-conversation-facts/layer.ts"
import { brainStatus } from "../../src/programs/status/brainStatus.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { onBothDatabases } from "../support/brains.ts"
import { conversation, extract, putPages, standIn } from "../support/extraction.ts"

/** No process has it: the kernel's largest is below. */
const nobody = 4_194_305

onBothDatabases("status", (brain) => {
  it.live("names leases, stale ones too, runs that died, and pages and segments with trouble", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const self = yield* HostProcess
      const api = yield* standIn({
        rules: [{ endpoint: "chat", contains: "number 1-0", fault: { kind: "refusal" } }]
      })
      yield* putPages([{ slug: "chats/poison", body: conversation("lease", 2, 2) }])
      yield* extract(api.url)
      const status = brainStatus().pipe(Effect.provide(brainLayer))
      expect((yield* status).troubles).toEqual([
        { page: "chats/poison", reason: expect.stringMatching(/^segment: .*\(1 run\)$/) }
      ])
      yield* extract(api.url)
      yield* extract(api.url)
      yield* sql`insert into gbrain_effect.runs (command, workers, host, pid) values
        ('of a dead process', 1, ${self.host}, ${nobody}), ('elsewhere', 1, 'elsewhere', ${nobody}),
        ('ours', 1, ${self.host}, ${self.pid})`
      yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at) values
        ('held', ${self.pid}, ${self.host}, now() - interval '3 minutes', now() + interval '1 minute'),
        ('dead', ${nobody}, ${self.host}, now() - interval '2 minutes', now() + interval '1 minute')`
      const now = yield* status
      expect(now.leases).toMatchObject([
        { id: "held", pid: self.pid, host: self.host, stale: false },
        { id: "dead", pid: nobody, host: self.host, stale: true }
      ])
      expect(now.leases[0]?.age_seconds).toBeGreaterThanOrEqual(180)
      // What a run spent is written down when it ends.
      expect(now.runs.map((run) => [run.command, run.status, run.spent_is_known])).toEqual([
        ["ours", "running", false],
        ["elsewhere", "running", false],
        ["of a dead process", "died", false],
        ["extract-conversation-facts", "completed", true],
        ["extract-conversation-facts", "failed", true],
        ["extract-conversation-facts", "failed", true]
      ])
      expect(now.troubles).toContainEqual({
        page: "chats/poison",
        reason: expect.stringMatching(/^given up: /)
      })
      expect(now.troubles).toContainEqual({
        page: "chats/poison",
        reason: expect.stringMatching(/^segment: .*\(3 runs\)$/)
      })
      expect(now.conversations).toMatchObject({ total: 1, set_aside: 1, to_do: 0 })
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
