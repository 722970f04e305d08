/** How large requests are made: full, but not so full that some workers have nothing to do, or that money runs out at once. */
import { Option } from "effect"
import * as Money from "../../domain/Money.ts"

/** Requests that each worker should have, so that all are busy to the end. */
const requestsPerWorker = 4

/** Smaller requests are not worth their round trip. */
const fewestInputs = 16

/** The most inputs in a request, when `toDo` inputs are shared out among the workers. */
export const requestInputs = (options: {
  readonly toDo: number
  readonly workers: number
  /** What the provider takes. */
  readonly limit: number
  readonly asked: Option.Option<number>
}): number =>
  Math.min(
    options.limit,
    Option.getOrElse(options.asked, () =>
      Math.max(fewestInputs, Math.ceil(options.toDo / (options.workers * requestsPerWorker)))
    )
  )

/** The most bytes in a request, so that every worker's dearest request fits under what is left of the money together. */
export const requestBytes = (options: {
  readonly left: Option.Option<Money.Money>
  readonly pricePerToken: Option.Option<Money.Money>
  readonly workers: number
}): Option.Option<number> =>
  Option.flatMap(Option.all([options.left, options.pricePerToken]), ([left, price]) =>
    price > 0n ? Option.some(Math.max(1, Number(left / price / BigInt(options.workers)))) : Option.none()
  )
