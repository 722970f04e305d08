import { expect, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { listLeases, releaseLease } from "../../src/programs/leases/leases.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { PageLease } from "../../src/services/PageLease.ts"
import { onBothDatabases } from "../support/brains.ts"

const hold = Effect.fnUntraced(function* (options: {
  readonly id: string
  readonly host: string
  readonly secondsLeft: number
}) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at, last_refreshed_at)
    values (${options.id}, 4711, ${options.host}, now() - interval '10 minutes',
      now() + make_interval(secs => ${options.secondsLeft}), now())`
})

onBothDatabases("gbrain lock", (brain) => {
  const layer = PageLease.layer.pipe(Layer.provideMerge(brain))

  it.effect("lists what every program holds, and what is stale", () =>
    Effect.gen(function* () {
      yield* hold({ id: "gbrain-sync:default", host: "elsewhere", secondsLeft: 60 })
      yield* hold({ id: "extract:b", host: "elsewhere", secondsLeft: -60 })
      const leases = yield* listLeases({ limit: 10 })
      expect(leases.map(({ id, pid, stale }) => ({ id, pid, stale }))).toEqual([
        { id: "gbrain-sync:default", pid: 4711, stale: false },
        { id: "extract:b", pid: 4711, stale: true }
      ])
    }).pipe(Effect.provide(layer))
  )

  it.effect("releases what is stale, and says so when nobody holds it", () =>
    Effect.gen(function* () {
      yield* hold({ id: "a", host: "elsewhere", secondsLeft: -60 })
      yield* releaseLease("a", { force: false })
      expect(yield* listLeases({ limit: 10 })).toEqual([])
      const again = yield* Effect.flip(releaseLease("a", { force: false }))
      expect(again._tag).toBe("NoSuchLease")
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves a lease alone that is alive, unless forced", () =>
    Effect.gen(function* () {
      yield* hold({ id: "a", host: "elsewhere", secondsLeft: 60 })
      const refused = yield* Effect.flip(releaseLease("a", { force: false }))
      expect(refused.message).toContain("process 4711 on elsewhere")
      yield* releaseLease("a", { force: true })
      expect(yield* listLeases({ limit: 10 })).toEqual([])
    }).pipe(Effect.provide(layer))
  )

  it.effect("what was released by force can no longer be written under", () =>
    Effect.gen(function* () {
      const leases = yield* PageLease
      const self = yield* HostProcess
      const exit = yield* leases
        .withLease("page", (lease) =>
          Effect.andThen(releaseLease("page", { force: true }), leases.confirm(lease))
        )
        .pipe(Effect.exit)
      expect(Exit.isFailure(exit) && String(exit.cause)).toContain("expired and was taken")
      expect(self.isAlive(self.pid)).toBe(true)
    }).pipe(Effect.provide(layer))
  )
})
