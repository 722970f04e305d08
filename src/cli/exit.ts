/** Exit codes, gbrain's where it has them. */
import { Data } from "effect"
import { BadQuestion } from "../domain/search/Question.ts"
import { UnknownPages } from "../programs/embed/scope.ts"
import { NoSuchPage } from "../programs/extract-conversation-facts/scope.ts"
import { UnknownPage } from "../programs/graph/page.ts"
import { TargetUnfit } from "../programs/migrate-embeddings/target.ts"
import { JobRefused } from "../programs/jobs/JobKind.ts"
import { UnknownSource } from "../services/Sources.ts"

/** What a process ends with. */
export const exitCodes = {
  /** Done; also when the budget was reached, which is said plainly. */
  done: 0,
  /** Something failed: a page, a check, the run. */
  failed: 1,
  /** The command line is wrong; nothing was done. */
  usage: 2,
  /** Pages were left because other processes hold them; run again. */
  heldElsewhere: 3,
  interrupted: 130,
  terminated: 143,
  hungUp: 129
} as const

/** Ends the command with a code, everything having been said. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: number }> {}

/** Wrong usage that only the command itself can see. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

/** What programs find out about a command line that names what is not there, or asks for what cannot be. Nothing was done. */
type WrongUsage =
  UsageError | BadQuestion | NoSuchPage | TargetUnfit | UnknownPage | UnknownPages | UnknownSource

/** Whether an error means that the command line is wrong, whoever found it out. */
export const isWrongUsage = (error: unknown): error is WrongUsage | JobRefused =>
  (error instanceof JobRefused && error.wrongUsage) ||
  [UsageError, BadQuestion, NoSuchPage, TargetUnfit, UnknownPage, UnknownPages, UnknownSource].some(
    (wrong) => error instanceof wrong
  )
