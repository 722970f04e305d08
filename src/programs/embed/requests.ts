/** How large requests are made: full, but not so full that some workers have nothing to do, or that money runs out at once. */
import { Effect, Option } from "effect"
import * as Money from "../../domain/Money.ts"
import { Budget } from "../../services/Budget.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { Prices } from "../../services/Prices.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import type { BatchWishes } from "./embedder.ts"

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

/** How far requests are filled for about `toDo` inputs, by this run's model, workers and money; `asked` inputs when told. */
export const requestWishes = Effect.fnUntraced(function* (toDo: number, asked: Option.Option<number>) {
  const model = yield* EmbeddingModel
  const pool = yield* WorkerPool
  const { cap, reserved, spent } = yield* (yield* Budget).snapshot
  const price = (yield* Prices).of(model.model)
  const workers = yield* pool.limit
  return {
    inputs: Option.some(requestInputs({ toDo, workers, limit: model.limits.inputs, asked })),
    bytes: requestBytes({
      left: Option.map(cap, (limit) => Money.subtract(limit, Money.add(spent, reserved))),
      pricePerToken: Option.map(price, (it) => it.input),
      workers
    })
  } satisfies BatchWishes
})
