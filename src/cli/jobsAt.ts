/** The jobs of the brain that a command is about: the brain is opened, or asked through the process that works on its jobs. */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect, Layer, Schedule } from "effect"
import { Jobs } from "../programs/jobs/Jobs.ts"
import { JobStore } from "../services/JobStore.ts"
import { type LocationFlags, Settings } from "../services/Settings.ts"
import { answersAt, socketOf } from "./jobSocket.ts"
import { openBrain } from "./open.ts"

/** The jobs, asked through the process that answers there. */
export const jobsBehind = (path: string) =>
  Jobs.layerRemote.pipe(Layer.provide(NodeSocket.layerNet({ path })))

/** How often, and for how long, one looks again whether an embedded brain that is in use can be opened or asked. */
const whenInUse = { schedule: Schedule.spaced("500 millis"), times: 60 }

/** The jobs of the brain that the flags, the environment or the settings name. */
export const jobsAt = (flags: LocationFlags) => {
  const opened = Jobs.layer.pipe(Layer.provide(JobStore.layer), Layer.provide(openBrain(flags)))
  type OpenedOrAsked = Layer.Layer<
    Jobs,
    Layer.Error<typeof opened> | Layer.Error<ReturnType<typeof jobsBehind>>,
    Layer.Services<typeof opened>
  >
  const found = Layer.unwrap(
    Effect.gen(function* () {
      const location = yield* (yield* Settings).locate(flags)
      if (location.kind === "pglite") {
        const path = socketOf(location.directory)
        if (yield* answersAt(path)) return jobsBehind(path)
      }
      return opened
    }).pipe(Effect.map((layer): OpenedOrAsked => layer))
  )
  // Whoever works on an embedded brain's jobs may be about to begin or to leave, and whoever hands some over has it for a moment.
  return Layer.effectContext(
    Layer.build(Layer.fresh(found)).pipe(
      Effect.retry({ ...whenInUse, while: (error) => error._tag === "BrainInUse" })
    )
  )
}

/** The brain of a process that works on jobs, opened as soon as those who hand some over are done with it. */
export const brainForJobs = (flags: LocationFlags, connections: number) =>
  Layer.effectContext(
    Layer.build(Layer.fresh(openBrain(flags, connections, connections))).pipe(
      Effect.retry({
        ...whenInUse,
        while: (error) =>
          error._tag === "BrainInUse"
            ? Effect.map(answersAt(socketOf(error.directory)), (is) => !is)
            : Effect.succeed(false)
      })
    )
  )
