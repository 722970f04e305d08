import { syncBuiltinESMExports } from "node:module"
import net from "node:net"
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { vi } from "vitest"
import { Database } from "../../src/services/Database.ts"

// What connections are opened with: from outside a probe cannot be told from nothing.
const connections = Effect.acquireRelease(
  Effect.sync(() => {
    const connect = vi.spyOn(net, "connect")
    syncBuiltinESMExports()
    return connect
  }),
  (connect) =>
    Effect.sync(() => {
      connect.mockRestore()
      syncBuiltinESMExports()
    })
)

it.live("a connection to a server is probed when nothing comes, and so does not wait for ever", () =>
  Effect.gen(function* () {
    const connect = yield* connections
    const nowhere = Redacted.make("postgres://nobody@127.0.0.1:1/none")
    const error = yield* Effect.flip(Layer.build(Database.layerPostgres({ url: nowhere })))
    expect(error._tag).toBe("BrainUnavailable")
    expect(connect).toHaveBeenCalledWith(
      expect.objectContaining({ keepAlive: true, keepAliveInitialDelay: 30_000 })
    )
  }).pipe(Effect.scoped)
)
