/** `gbrain init`: makes a brain, and remembers where it is. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { initBrain } from "../../services/Brain.ts"
import { type BrainLocation, Settings } from "../../services/Settings.ts"
import { defaultWidth } from "../../domain/EmbeddingDimensions.ts"
import { UsageError } from "../exit.ts"
import { json, locationFlags, optionalCount, optionalText } from "../flags.ts"
import { databaseAt } from "../open.ts"
import { printJson } from "../render/text.ts"

export const init = Command.make(
  "init",
  {
    pglite: Flag.Boolean("pglite").pipe(
      Flag.withDescription("Make an embedded brain (the default)"),
      Flag.withDefault(false)
    ),
    ...locationFlags,
    embeddingModel: optionalText(
      "embedding-model",
      "MODEL",
      "Model that makes the vectors, such as openai:text-embedding-3-small"
    ),
    embeddingDimensions: optionalCount(
      "embedding-dimensions",
      "Width of the vectors; the model's own unless told"
    ),
    json
  },
  Effect.fn(function* (flags) {
    const settings = yield* Settings
    if (Option.isSome(flags.url) && (flags.pglite || Option.isSome(flags.path))) {
      return yield* new UsageError({
        message: "--url makes a brain on a server; --pglite and --path an embedded one. Give one kind."
      })
    }
    const embeddingDimensions = yield* widthFor(flags)
    const told = Option.isSome(flags.url) || Option.isSome(flags.path)
    const location: BrainLocation = told
      ? yield* settings.locate(flags)
      : { kind: "pglite", directory: yield* settings.defaultDirectory }
    const report = yield* initBrain({ ...flags, embeddingDimensions }).pipe(
      Effect.provide(databaseAt(location))
    )
    const file = yield* settings.save(location)
    if (flags.json) return yield* printJson({ ...report, settings: file })
    yield* Console.log(
      `${report.created ? "Made" : "Found"} ${report.brain}, for vectors of ${report.embeddingModel} (${report.embeddingDimensions}).\n` +
        `Its place is noted in ${file}.\nNext: gbrain import DIR, then gbrain extract-conversation-facts --workers 20`
    )
  })
).pipe(
  Command.withDescription("Make a brain: embedded in a folder, or on a Postgres server with pgvector"),
  Command.withExamples([
    { command: "gbrain init", description: "An embedded brain in the usual place" },
    { command: "gbrain init --path ./brain", description: "An embedded brain in a folder" },
    { command: "gbrain init --url postgres://me@localhost/brain", description: "A brain on a server" }
  ])
)

// A width that does not fit the model would only be found at the first call.
const widthFor = Effect.fnUntraced(function* (flags: {
  readonly embeddingModel: Option.Option<string>
  readonly embeddingDimensions: Option.Option<number>
}) {
  if (Option.isNone(flags.embeddingModel) || Option.isSome(flags.embeddingDimensions)) {
    return flags.embeddingDimensions
  }
  const width = defaultWidth(flags.embeddingModel.value)
  if (Option.isSome(width)) return width
  return yield* new UsageError({
    message: `How wide the vectors of ${flags.embeddingModel.value} are is not known here; say it with --embedding-dimensions N.`
  })
})
