/** What commands that spend have in common: the cap, the question before, the exit code after. */
import { Console, Effect, Option } from "effect"
import { Prompt } from "effect/cli"
import * as Money from "../domain/Money.ts"
import { Ended, exitCodes } from "./exit.ts"
import { printable } from "./render/text.ts"

/** gbrain's default for a run that spends. */
export const defaultCap = Option.getOrThrow(Money.parseUsd("5"))

/** Whether there is somebody to ask: a script has said what it wants with its flags. */
export const canAsk = (flags: { readonly yes: boolean; readonly json: boolean }): boolean =>
  !flags.yes && !flags.json && process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY

/** Shows a plan and asks whether to go on; ends the command when not. */
export const confirmSpending = Effect.fnUntraced(function* (plan: string, cap: Money.Money) {
  yield* Console.error(printable(plan))
  const goOn = yield* Prompt.run(
    Prompt.Confirm({ message: `Spend up to ${Money.format(cap)}?`, initial: true })
  ).pipe(Effect.catchTag("QuitError", () => new Ended({ code: exitCodes.interrupted })))
  if (!goOn) {
    yield* Console.error("Nothing was done.")
    return yield* new Ended({ code: exitCodes.failed })
  }
})

/** Ends the command as its run ended: failed, or with something left to other processes. A budget that is used up is no failure. */
export const endAs = (status: string): Effect.Effect<void, Ended> =>
  status === "failed"
    ? Effect.fail(new Ended({ code: exitCodes.failed }))
    : status === "incomplete"
      ? Effect.fail(new Ended({ code: exitCodes.heldElsewhere }))
      : Effect.void
