/** The commands that can be jobs. */
import { Effect, Option } from "effect"
import { extractionJob } from "./extractionJob.ts"
import { JobRefused } from "./JobKind.ts"

const kinds = [extractionJob]

/** The kind of job that a command is; `JobRefused` for a command that is none, as one of a later version would be. */
export const kindOf = (command: string) =>
  Option.match(Option.fromUndefinedOr(kinds.find((kind) => kind.command === command)), {
    onNone: () =>
      Effect.fail(
        new JobRefused({
          wrongUsage: false,
          message: `This version of gbrain does not know how to run ${command} as a job.`
        })
      ),
    onSome: Effect.succeed
  })
