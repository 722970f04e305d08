/**
 * Where the brain is: what the command line says, else the environment, else the configuration file, ours or gbrain's.
 */
import { Config, Context, Effect, FileSystem, Layer, Option, Path, Redacted, Schema } from "effect"
import { UserDirectories } from "effect/persistence"

/** Where a brain is. */
export type BrainLocation =
  | { readonly kind: "postgres"; readonly url: Redacted.Redacted }
  | { readonly kind: "pglite"; readonly directory: string }

/** A brain that an environment variable names: it comes before the one in the settings. */
export interface BrainOfEnvironment {
  readonly variable: string
  /** Fails when what it says is no address. */
  readonly location: Effect.Effect<BrainLocation, SettingsError>
}

/** The settings cannot be read or written, or name no brain. */
export class SettingsError extends Schema.TaggedError<SettingsError>()("SettingsError", {
  message: Schema.String
}) {}

/** What was asked for on the command line; of both, the folder is taken. */
export interface LocationFlags {
  readonly url: Option.Option<string>
  readonly path: Option.Option<string>
}

// The keys are gbrain's, so that one file can serve both.
const ConfigFile = Schema.fromJsonString(
  Schema.Struct({
    engine: Schema.optionalKey(Schema.NullOr(Schema.String)),
    database_url: Schema.optionalKey(Schema.NullOr(Schema.String)),
    database_path: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
)

/** Where things are. */
export class Settings extends Context.Service<
  Settings,
  {
    /** The brain to use. */
    readonly locate: (flags: LocationFlags) => Effect.Effect<BrainLocation, SettingsError>
    /** The brain that the environment names, if it does. */
    readonly ofEnvironment: Effect.Effect<Option.Option<BrainOfEnvironment>>
    /** The brain that the settings in files name, ours or gbrain's, if they do. */
    readonly ofFiles: Effect.Effect<Option.Option<BrainLocation>, SettingsError>
    /** Where an embedded brain goes when nobody says where. */
    readonly defaultDirectory: Effect.Effect<string, SettingsError>
    /** Where logs of background processes go. */
    readonly logDirectory: Effect.Effect<string, SettingsError>
    /** Writes the configuration file, readable by its owner only; answers its path. */
    readonly save: (location: BrainLocation) => Effect.Effect<string, SettingsError>
  }
>()("gbrain/Settings") {
  /** Settings of the user who runs this. */
  static readonly layer = Layer.effect(
    Settings,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directories = yield* UserDirectories.UserDirectories
      const variable = (name: string) =>
        Config.option(Config.NonEmptyString(name)).pipe(Effect.orElseSucceed(Option.none<string>))
      const unusable = (message: string) => new SettingsError({ message })

      const home = Effect.gen(function* () {
        const told = yield* variable("GBRAIN_HOME")
        if (Option.isSome(told)) return { config: told.value, data: told.value, state: told.value }
        return {
          config: yield* directories.config("gbrain"),
          data: yield* directories.data("gbrain"),
          state: yield* directories.state("gbrain")
        }
      }).pipe(
        Effect.mapError((error) => unusable(`No home for settings: ${error.message}. Set GBRAIN_HOME.`))
      )

      const readFile = Effect.fnUntraced(function* (file: string) {
        const text = yield* fs.readFileString(file).pipe(
          Effect.asSome,
          Effect.catchReason("PlatformError", "NotFound", () => Effect.succeedNone),
          Effect.mapError((error) => unusable(`The settings in ${file} cannot be read: ${error.message}.`))
        )
        if (Option.isNone(text)) return Option.none<BrainLocation>()
        const config = yield* Schema.decodeEffect(ConfigFile)(text.value).pipe(
          Effect.mapError((error) =>
            unusable(`The settings in ${file} cannot be read: ${error.message}. Mend or remove the file.`)
          )
        )
        if (config.database_url != null && config.database_url !== "") {
          const url = yield* checkUrl(config.database_url, file)
          return Option.some<BrainLocation>({ kind: "postgres", url })
        }
        return config.database_path != null && config.database_path !== ""
          ? Option.some<BrainLocation>({ kind: "pglite", directory: config.database_path })
          : Option.none()
      })

      // gbrain's own embedded brains are of an older version of Postgres and cannot be opened in place: only its
      // Postgres brains are of use here.
      const fromGbrain = Effect.gen(function* () {
        // To gbrain the variable names the folder that its own is in.
        const parents = [yield* variable("GBRAIN_HOME"), yield* Effect.option(directories.home)]
        for (const parent of parents.flatMap(Option.toArray)) {
          const found = yield* readFile(path.join(parent, ".gbrain", "config.json"))
          if (Option.isSome(found) && found.value.kind === "postgres") return found
        }
        return Option.none<BrainLocation>()
      })

      const ofEnvironment = Effect.gen(function* () {
        for (const name of ["GBRAIN_DATABASE_URL", "DATABASE_URL"]) {
          const address = yield* variable(name)
          if (Option.isNone(address)) continue
          return Option.some<BrainOfEnvironment>({
            variable: name,
            location: Effect.map(checkUrl(address.value, name), (url) => ({ kind: "postgres", url }))
          })
        }
        return Option.none()
      })

      const ofFiles = Effect.gen(function* () {
        const { config } = yield* home
        const configured = yield* readFile(path.join(config, "config.json"))
        return Option.isSome(configured) ? configured : yield* fromGbrain
      })

      return Settings.of({
        ofEnvironment,
        ofFiles,
        locate: Effect.fn("Settings.locate")(function* ({ path: directory, url }) {
          if (Option.isSome(directory)) return { kind: "pglite", directory: directory.value } as const
          if (Option.isSome(url))
            return { kind: "postgres", url: yield* checkUrl(url.value, "--url") } as const
          const told = yield* ofEnvironment
          if (Option.isSome(told)) return yield* told.value.location
          const location = yield* ofFiles
          if (Option.isNone(location)) {
            return yield* unusable(
              "No brain is set up. Make one with: gbrain init (embedded), or gbrain init --url postgres://… (a server)."
            )
          }
          return location.value
        }),
        defaultDirectory: Effect.map(home, ({ data }) => path.join(data, "brain")),
        logDirectory: Effect.map(home, ({ state }) => path.join(state, "logs")),
        save: Effect.fn("Settings.save")(function* (location) {
          const { config } = yield* home
          const file = path.join(config, "config.json")
          const content = yield* Effect.orDie(
            Schema.encodeEffect(ConfigFile)(
              location.kind === "postgres"
                ? { engine: "postgres", database_url: Redacted.value(location.url) }
                : // The next command may be given in another folder.
                  { engine: "pglite", database_path: path.resolve(location.directory) }
            )
          )
          yield* Effect.gen(function* () {
            yield* fs.makeDirectory(config, { recursive: true })
            yield* fs.writeFileString(`${file}.new`, `${content}\n`, { mode: 0o600 })
            yield* fs.rename(`${file}.new`, file)
          }).pipe(
            Effect.mapError((error) =>
              unusable(`The settings cannot be written to ${file}: ${error.message}.`)
            )
          )
          return file
        })
      })
    })
  ).pipe(Layer.provide(UserDirectories.layer))
}

/** What a Postgres address looks like, in words. */
export const urlForm =
  "a Postgres URL such as postgres://user:password@host:5432/database, in which a password's @ is written %40, its / %2F and its # %23"

/**
 * Whether a text has the form of a Postgres address. One whose password has a bare `@` and `/` in it is refused: read as a
 * URL, the end of the password would be taken for the host and be shown.
 */
export const isPostgresUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return (
    url !== null &&
    /^postgres(ql)?:$/.test(url.protocol) &&
    url.host !== "" &&
    !/[@#]/.test(url.pathname + url.hash)
  )
}

const checkUrl = (text: string, where: string): Effect.Effect<Redacted.Redacted, SettingsError> =>
  isPostgresUrl(text)
    ? Effect.succeed(Redacted.make(text))
    : Effect.fail(
        new SettingsError({ message: `The address of the brain in ${where} should be ${urlForm}.` })
      )
