/** `gbrain doctor`: whether everything is in order. */
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { examine } from "../../programs/doctor/examine.ts"
import { brainLayer } from "../../programs/extract-conversation-facts/layer.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { Ended, exitCodes } from "../exit.ts"
import { json, locationFlags } from "../flags.ts"
import { openBrain } from "../open.ts"
import { print, printJson } from "../render/text.ts"

export const doctor = Command.make(
  "doctor",
  { json, ...locationFlags },
  Effect.fn(function* (flags) {
    const found = yield* examine().pipe(
      Effect.provide(Layer.mergeAll(brainLayer, OpenAi.layer).pipe(Layer.provideMerge(openBrain(flags))))
    )
    if (flags.json) yield* printJson(found)
    else {
      for (const { fix, message, name, status } of found.checks) {
        yield* print(`${status.padEnd(5)}${name}: ${message}`)
        if (fix !== null) yield* print(`     mend it: ${fix.replaceAll("\n", "\n              ")}`)
      }
    }
    if (found.checks.some((check) => check.status === "fail"))
      return yield* new Ended({ code: exitCodes.failed })
  })
).pipe(
  Command.withDescription(
    "Examine the brain, its database, its models and keys; name what is wrong and how to mend it"
  ),
  Command.withExamples([
    { command: "gbrain doctor", description: "Exits 1 when something must be mended" },
    { command: "gbrain doctor --json", description: "For scripts" }
  ])
)
