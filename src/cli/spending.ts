/** What is said and asked before a command spends money, or takes away what was paid for. */
import { Console, Effect, Option } from "effect"
import { Prompt } from "effect/cli"
import * as Money from "../domain/Money.ts"
import { Prices, unpriced } from "../services/Prices.ts"
import { Ended, exitCodes } from "./exit.ts"
import { printable } from "./render/text.ts"

/** gbrain's default for a run that spends. */
export const defaultCap = Option.getOrThrow(Money.parseUsd("5"))

/**
 * Shows the plan and asks whether to go on; ends the command if not. Only a person at a terminal can be asked; a script has said
 * what it wants with its flags. `plan` is none when there is nothing to spend money on.
 */
export const confirmSpending = Effect.fnUntraced(function* <E, R>(
  flags: { readonly yes: boolean; readonly json: boolean; readonly maxCostUsd: Money.Money },
  plan: Effect.Effect<Option.Option<string>, E, R>
) {
  const interactive = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY && !flags.json
  if (flags.yes || !interactive) return
  const text = yield* plan
  if (Option.isNone(text)) return
  yield* Console.error(printable(text.value))
  const goOn = yield* Prompt.run(
    Prompt.Confirm({ message: `Spend up to ${Money.format(flags.maxCostUsd)}?`, initial: true })
  ).pipe(Effect.catchTag("QuitError", () => new Ended({ code: exitCodes.interrupted })))
  if (!goOn) {
    yield* Console.error("Nothing was done.")
    return yield* new Ended({ code: exitCodes.failed })
  }
})

/** Says what will be lost and asks whether to go on; ends the command if not. Where nobody can be asked, `--yes` is asked for. */
export const confirmLoss = Effect.fnUntraced(function* (yes: boolean, loss: string) {
  if (yes) return
  yield* Console.error(printable(loss))
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    yield* Console.error("Nothing was done. If that is meant, say so with --yes.")
    return yield* new Ended({ code: exitCodes.failed })
  }
  const goOn = yield* Prompt.run(Prompt.Confirm({ message: "Remove them?", initial: false })).pipe(
    Effect.catchTag("QuitError", () => new Ended({ code: exitCodes.interrupted }))
  )
  if (goOn) return
  yield* Console.error("Nothing was done.")
  return yield* new Ended({ code: exitCodes.failed })
})

/**
 * Says what the model costs and what will be spent at most, to whoever watches or keeps the log. Without a known price the cap
 * could not be kept: `UnpricedModel`, before anything is begun.
 */
export const announceSpending = Effect.fnUntraced(function* (model: string, cap: Money.Money) {
  const known = (yield* Prices).of(model)
  if (Option.isNone(known)) return yield* unpriced(model)
  const { input, output } = known.value
  const price =
    output === 0n
      ? `$${perMillion(input)} a million tokens`
      : `$${perMillion(input)} in and $${perMillion(output)} out a million tokens`
  yield* Console.error(printable(`Asking ${model} at ${price}; at most ${Money.format(cap)} will be spent.`))
})

// Embedding models cost fractions of a cent.
const perMillion = (price: Money.Money): string =>
  Money.toDecimal(Money.times(price, 1_000_000), 3).replace(/0$/, "")

/** Ends the command as its run ended: failed, or with something left to other processes. A budget that is used up is no failure. */
export const endAs = (status: string): Effect.Effect<void, Ended> =>
  status === "failed"
    ? Effect.fail(new Ended({ code: exitCodes.failed }))
    : status === "incomplete"
      ? Effect.fail(new Ended({ code: exitCodes.heldElsewhere }))
      : Effect.void
