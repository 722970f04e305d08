/** `gbrain lock`: who works on what, and giving back what a lost process holds. */
import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { listLeases, releaseLease } from "../../programs/leases/leases.ts"
import { json, locationFlags } from "../flags.ts"
import { openBrain } from "../open.ts"
import { duration } from "../render/progress.ts"
import { print, printJson, table } from "../render/text.ts"

/** More than any run holds at a time. */
const mostListed = 10_000

const list = Command.make(
  "list",
  { json, ...locationFlags },
  Effect.fn(function* (flags) {
    const leases = yield* listLeases({ limit: mostListed }).pipe(Effect.provide(openBrain(flags)))
    if (flags.json) return yield* printJson(leases)
    if (leases.length === 0) return yield* Console.error("Nothing is held.")
    yield* print(
      table(
        ["held", "by process", "on", "for", ""],
        leases.map((lease) => [
          lease.id,
          String(lease.pid),
          lease.host ?? "?",
          duration(lease.age_seconds * 1000),
          lease.stale ? "stale" : ""
        ])
      )
    )
  })
).pipe(Command.withDescription("List what is held now, by us and by gbrain"))

const release = Command.make(
  "release",
  {
    id: Argument.String("id").pipe(Argument.withDescription("Id of the lease, as gbrain lock list shows it")),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Also when its holder still refreshes it; the holder then writes nothing more"),
      Flag.withDefault(false)
    ),
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const released = yield* releaseLease(flags.id, flags).pipe(Effect.provide(openBrain(flags)))
    yield* print(`Released ${released.id}, held by process ${released.pid} on ${released.host ?? "?"}.`)
  })
).pipe(Command.withDescription("Give back a lease whose holder is gone"))

export const lock = Command.make("lock").pipe(
  Command.withDescription("Show who works on which pages, and release what a lost process holds"),
  Command.withExamples([
    { command: "gbrain lock list", description: "Who works on what" },
    {
      command: "gbrain lock release extract-conversation-facts:default:meetings/2025-02-14",
      description: "Give back a lease of a machine that is gone"
    }
  ]),
  Command.withSubcommands([list, release])
)
