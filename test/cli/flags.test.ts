/** What the values of flags mean. */
import { NodeServices } from "@effect/platform-node"
import { afterEach, describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { instant } from "../../src/cli/flags.ts"

const read = (value: string) =>
  Effect.gen(function* () {
    let found = Option.none<number>()
    const command = Command.make("test", { since: instant("since", "After this") }, ({ since }) =>
      Effect.sync(() => {
        found = since
      })
    )
    yield* Command.runWith(command, { version: "1" })(["--since", value])
    return Option.getOrNull(Option.map(found, (millis) => new Date(millis).toISOString()))
  }).pipe(Effect.provide(NodeServices.layer))

describe("--since", () => {
  const zone = process.env["TZ"]
  afterEach(() => {
    if (zone === undefined) delete process.env["TZ"]
    else process.env["TZ"] = zone
  })

  it.live("is UTC unless a zone is written, wherever the command is run", () =>
    Effect.gen(function* () {
      process.env["TZ"] = "America/Los_Angeles"
      expect(new Date("2025-02-14T18:00").toISOString()).toBe("2025-02-15T02:00:00.000Z")
      for (const [value, means] of [
        ["2025-02-14", "2025-02-14T00:00:00.000Z"],
        ["2025-02-14T18:00", "2025-02-14T18:00:00.000Z"],
        ["2025-02-14T18:00:30.5", "2025-02-14T18:00:30.500Z"],
        ["2025-02-14T18:00Z", "2025-02-14T18:00:00.000Z"],
        ["2025-02-14T18:00+01:00", "2025-02-14T17:00:00.000Z"],
        ["2025-02-14T18:00:00-0800", "2025-02-15T02:00:00.000Z"]
      ] as const) {
        expect([value, yield* read(value)]).toEqual([value, means])
      }
    })
  )
})
