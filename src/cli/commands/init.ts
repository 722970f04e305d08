/** `gbrain init`: makes a brain, and remembers where it is. */
import { Console, Effect, Option, Path, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { defaultEmbedding, initBrain } from "../../services/Brain.ts"
import { holdsDatabase, urlLabel } from "../../services/Database.ts"
import { type BrainLocation, Settings } from "../../services/Settings.ts"
import { defaultWidth, widthProblem } from "../../domain/EmbeddingDimensions.ts"
import { UsageError } from "../exit.ts"
import { json, locationFlags, optionalText, optionalWidth } from "../flags.ts"
import { databaseAt } from "../open.ts"
import { print, printable, printJson } from "../render/text.ts"

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
    embeddingDimensions: optionalWidth(
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
    // What the files say is overwritten in a moment; a file that cannot be read names no brain.
    const before = yield* Effect.orElseSucceed(settings.ofFiles, Option.none<BrainLocation>)
    const told = Option.isSome(flags.url) || Option.isSome(flags.path)
    const location: BrainLocation = told
      ? yield* settings.locate(flags)
      : { kind: "pglite", directory: yield* settings.defaultDirectory }
    yield* checkNewWidth(location, { ...flags, embeddingDimensions })
    const report = yield* initBrain({ ...flags, embeddingDimensions }).pipe(
      Effect.provide(databaseAt(location)),
      Effect.catchTag("ImpossibleWidth", ({ message }) => new UsageError({ message: another(message) }))
    )
    const file = yield* settings.save(location)
    const here = yield* placeOf(location)
    const earlier = Option.filter(
      yield* Effect.transposeOption(Option.map(before, placeOf)),
      ({ id }) => id !== here.id
    )
    const overridden = yield* overriding(here)
    if (Option.isSome(overridden)) yield* Console.error(`gbrain: ${printable(overridden.value.says)}`)
    if (flags.json) {
      return yield* printJson({
        ...report,
        settings: file,
        usedByCommands: Option.isNone(overridden),
        overriddenBy: Option.getOrNull(Option.map(overridden, ({ variable }) => variable)),
        usedBefore: Option.getOrNull(Option.map(earlier, ({ label }) => label))
      })
    }
    yield* print(
      [
        `${report.created ? "Made" : "Found"} ${report.brain}, for vectors of ${report.embeddingModel} (${report.embeddingDimensions}).`,
        `Its place is noted in ${file}.`,
        ...(Option.isNone(overridden) ? ["Commands use it from now on."] : []),
        ...Option.toArray(
          Option.map(
            earlier,
            ({ flag, label }) =>
              `Until now ${label} was noted there. To go back to that one: gbrain init ${flag}`
          )
        ),
        "Next: gbrain import DIR, then gbrain extract-conversation-facts --workers 20"
      ].join("\n")
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

interface Embedding {
  readonly embeddingModel: Option.Option<string>
  readonly embeddingDimensions: Option.Option<number>
}

const another = (problem: string): string => `${problem} Say another with --embedding-dimensions N.`

// A width that does not fit the model would only be found at the first call.
const widthFor = Effect.fnUntraced(function* (flags: Embedding) {
  if (Option.isNone(flags.embeddingModel)) return flags.embeddingDimensions
  const model = flags.embeddingModel.value
  const width = Option.orElse(flags.embeddingDimensions, () => defaultWidth(model))
  if (Option.isNone(width)) {
    return yield* new UsageError({
      message: `How wide the vectors of ${model} are is not known here; say it with --embedding-dimensions N.`
    })
  }
  yield* checkWidth(model, width.value)
  return width
})

const checkWidth = (model: string, width: number) =>
  Option.match(widthProblem(model, width), {
    onNone: () => Effect.void,
    onSome: (problem) => Effect.fail(new UsageError({ message: another(problem) }))
  })

// Opening would leave an empty database behind. A brain that is there may have another model than the usual one.
const checkNewWidth = Effect.fnUntraced(function* (location: BrainLocation, flags: Embedding) {
  if (location.kind === "postgres" || Option.isNone(flags.embeddingDimensions)) return
  if (yield* holdsDatabase(location.directory)) return
  yield* checkWidth(
    Option.getOrElse(flags.embeddingModel, () => defaultEmbedding.model),
    flags.embeddingDimensions.value
  )
})

/** A place as it is compared, told, and named again on a command line; only the first may have a password in it. */
interface Place {
  readonly id: string
  readonly label: string
  readonly flag: string
}

const placeOf = Effect.fnUntraced(function* (location: BrainLocation) {
  if (location.kind === "postgres") {
    const place: Place = {
      id: Redacted.value(location.url),
      label: urlLabel(location.url),
      flag: "--url URL"
    }
    return place
  }
  const directory = (yield* Path.Path).resolve(location.directory)
  const place: Place = {
    id: directory,
    label: `the embedded brain in ${directory}`,
    flag: `--path ${directory}`
  }
  return place
})

/** The environment variable by which commands use another brain than the one in the settings, and words for that. */
const overriding = Effect.fnUntraced(function* (here: Place) {
  const told = yield* (yield* Settings).ofEnvironment
  if (Option.isNone(told)) return Option.none()
  const { location, variable } = told.value
  const instead = `Unset it to use the brain that was set up now, or give each command ${here.flag}.`
  return yield* location.pipe(
    Effect.flatMap(placeOf),
    Effect.map((place) =>
      place.id === here.id
        ? Option.none()
        : Option.some({ variable, says: `${variable} is set, so commands use ${place.label}. ${instead}` })
    ),
    Effect.catchTag("SettingsError", ({ message }) =>
      Effect.succeed(Option.some({ variable, says: `${message} ${instead}` }))
    )
  )
})
