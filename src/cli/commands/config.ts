/** `gbrain config`: the settings that live in the brain. */
import { Console, Effect, Layer, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { BrainConfig } from "../../services/BrainConfig.ts"
import { Ended, exitCodes, UsageError } from "../exit.ts"
import { json, locationFlags } from "../flags.ts"
import { openBrain } from "../open.ts"
import { printJson, table } from "../render/text.ts"
import type { LocationFlags } from "../../services/Settings.ts"

const key = Argument.String("key").pipe(
  Argument.withDescription("Name of the setting"),
  Argument.filter(
    (text) => text.trim() !== "",
    () => "the name of a setting, such as facts.extraction_model"
  )
)

const withConfig = (flags: LocationFlags) =>
  Effect.provide(BrainConfig.layer.pipe(Layer.provideMerge(openBrain(flags))))

// gbrain keeps keys of providers in the same table, and addresses with passwords; they are nobody's to print.
const isSecret = (name: string) => /(key|secret|token|password|credentials?)$/i.test(name)

const shown = (name: string, value: string) =>
  isSecret(name) ? "(set, not shown)" : value.replace(/(:\/\/[^\s:/]*:)\S*@/g, "$1(not shown)@")

const get = Command.make("get", { key, ...locationFlags }, (flags) =>
  Effect.gen(function* () {
    const value = yield* (yield* BrainConfig).get(flags.key)
    if (Option.isNone(value)) {
      yield* Console.error(`gbrain: ${flags.key} is not set`)
      return yield* new Ended({ code: exitCodes.failed })
    }
    yield* Console.log(shown(flags.key, value.value))
  }).pipe(withConfig(flags))
).pipe(Command.withDescription("Print a setting"))

const set = Command.make(
  "set",
  { key, value: Argument.String("value").pipe(Argument.withDescription("Its value")), ...locationFlags },
  (flags) =>
    Effect.gen(function* () {
      yield* (yield* BrainConfig).set(flags.key, flags.value).pipe(
        // A value that is in the brain already is no slip of whoever gives a command; this one is.
        Effect.catchTag("BadSetting", ({ message }) => new UsageError({ message }))
      )
      yield* Console.log(`${flags.key} = ${shown(flags.key, flags.value)}`)
    }).pipe(withConfig(flags))
).pipe(Command.withDescription("Change a setting"))

const unset = Command.make("unset", { key, ...locationFlags }, (flags) =>
  Effect.gen(function* () {
    const was = yield* (yield* BrainConfig).unset(flags.key)
    yield* Console.log(was ? `${flags.key} is no longer set` : `${flags.key} was not set`)
  }).pipe(withConfig(flags))
).pipe(Command.withDescription("Remove a setting"))

const show = Command.make("show", { json, ...locationFlags }, (flags) =>
  Effect.gen(function* () {
    const rows = [...(yield* (yield* BrainConfig).all)].map(
      ([name, value]) => [name, shown(name, value)] as const
    )
    yield* flags.json ? printJson(Object.fromEntries(rows)) : Console.log(table(["setting", "value"], rows))
  }).pipe(withConfig(flags))
).pipe(Command.withDescription("Print all settings"))

export const config = Command.make("config").pipe(
  Command.withDescription("Read and change the settings that live in the brain"),
  Command.withExamples([
    {
      command: "gbrain config set facts.extraction_model openai:gpt-4.1-mini",
      description: "Choose the model"
    },
    { command: "gbrain config show", description: "See all" }
  ]),
  Command.withSubcommands([get, set, unset, show])
)
