/** Opens the brain that a command is about. */
import { setFlagsFromString } from "node:v8"
import { Effect, Layer, Option } from "effect"
import { Brain, NoBrain } from "../services/Brain.ts"
import { BrainInUse, Database, holdsDatabase } from "../services/Database.ts"
import { HostProcess } from "../services/HostProcess.ts"
import { type BrainLocation, type LocationFlags, Settings } from "../services/Settings.ts"
import { UsageError } from "./exit.ts"
import { answersAt, socketOf } from "./jobSocket.ts"

/** Statements that a run has in flight at a time grow with its workers; a server's connections are few. */
const mostConnections = 20

/** What work takes that reads and parses in groups and writes two of them at a time, whatever the workers. */
const connectionsForGroups = 4

/** The database at a place; without `workers`, for a command that is over in a moment. */
export const databaseAt = (
  location: BrainLocation,
  workers?: number,
  maxConnections = Math.min(mostConnections, 4 + (workers ?? 1))
) => {
  if (location.kind === "postgres") {
    return Database.layerPostgres({ url: location.url, maxConnections })
  }
  const opened = Database.layerPglite({ directory: location.directory }).pipe(
    Layer.provide(HostProcess.layer)
  )
  return workers === undefined ? Layer.provide(opened, Layer.effectDiscard(compileOnce)) : opened
}

// The embedded database is compiled quickly first and then once more, better. A run of minutes gains a fifth by that; a command
// that only shows something would wait two seconds at its end until the compiler lets go.
const compileOnce = Effect.sync(() => {
  setFlagsFromString("--no-wasm-dynamic-tiering")
  setFlagsFromString("--no-wasm-tier-up")
})

/** The brain that the flags, the environment or the settings name, opened; for a command that visits many pages, with its workers. */
export const openBrain = (flags: LocationFlags, workers?: number, maxConnections?: number) =>
  open(flags, Brain.layer, workers, maxConnections)

/** The same for a command that writes nothing, not even the tables of our own. */
export const lookAtBrain = (flags: LocationFlags, workers?: number, maxConnections?: number) =>
  open(flags, Brain.layerLooking, workers, maxConnections)

/** The flags of a command that may be told to write nothing. */
type WorkFlags = LocationFlags & { readonly dryRun: boolean; readonly workers: number }

/** The brain for a command that may be told to write nothing. */
export const brainFor = (flags: WorkFlags, maxConnections?: number) =>
  (flags.dryRun ? lookAtBrain : openBrain)(flags, flags.workers, maxConnections)

/**
 * The same for one that works on groups of pages. Each connection is a process of the server, which takes the memory that all share
 * into its own tables piece by piece: with four `extract` is some 5 % quicker than with twelve.
 */
export const brainForGroups = (flags: WorkFlags) => brainFor(flags, connectionsForGroups)

const open = (
  flags: LocationFlags,
  brain: typeof Brain.layer,
  workers: number | undefined,
  maxConnections: number | undefined
) =>
  Layer.unwrap(
    Effect.gen(function* () {
      if (Option.isSome(flags.url) && Option.isSome(flags.path)) {
        return yield* new UsageError({ message: "--url and --path name two brains; give one of them." })
      }
      const settings = yield* Settings
      const location = yield* settings.locate(flags)
      if (location.kind === "pglite") yield* checkThere(location.directory)
      const opened = brain.pipe(Layer.provideMerge(databaseAt(location, workers, maxConnections)))
      return location.kind === "postgres"
        ? opened
        : Layer.catchTag(opened, "BrainInUse", (error) =>
            Layer.effectContext(Effect.flatMap(tellOfJobs(location.directory, error), Effect.fail))
          )
    })
  ).pipe(Layer.provideMerge(HostProcess.layer))

// Whoever has the brain open for its jobs can be asked about them, and to stop.
const tellOfJobs = Effect.fnUntraced(function* (directory: string, error: BrainInUse) {
  if (!(yield* answersAt(socketOf(directory)))) return error
  const message = `${error.message} That process works on the brain's jobs: gbrain jobs list, gbrain jobs cancel ID.`
  return new BrainInUse({ directory, holderPid: error.holderPid, holderHost: error.holderHost, message })
})

// Opening would make an empty database there; only `init` may.
const checkThere = Effect.fnUntraced(function* (directory: string) {
  if (yield* holdsDatabase(directory)) return
  return yield* new NoBrain({
    brain: directory,
    message: `There is no brain in ${directory}. Make one with: gbrain init --path ${directory}`
  })
})
