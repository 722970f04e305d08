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

const aWhile = { schedule: Schedule.spaced("500 millis"), times: 10 }

/** The jobs of the brain that the flags, the environment or the settings name. */
export const jobsAt = (flags: LocationFlags) => {
  const brain = Jobs.layer.pipe(Layer.provide(JobStore.layer), Layer.provide(openBrain(flags)))
  // The process that worked on an embedded brain's jobs may be about to leave.
  const opened = Layer.effectContext(
    Layer.build(Layer.fresh(brain)).pipe(
      Effect.retry({ ...aWhile, while: (error) => error._tag === "BrainInUse" })
    )
  )
  type Either = Layer.Layer<
    Jobs,
    Layer.Error<typeof opened> | Layer.Error<ReturnType<typeof jobsBehind>>,
    Layer.Services<typeof opened>
  >
  return Layer.unwrap(
    Effect.gen(function* () {
      const location = yield* (yield* Settings).locate(flags)
      if (location.kind === "pglite") {
        const path = socketOf(location.directory)
        if (yield* answersAt(path)) return jobsBehind(path)
      }
      return opened
    }).pipe(Effect.map((layer): Either => layer))
  )
}
