/** What searching needs, on top of an open brain: the layers to provide when it runs inside another Effect application. */
import { Layer, type Option } from "effect"
import type * as Money from "../../domain/Money.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { QuestionVector } from "../../services/QuestionVector.ts"
import { Search } from "../../services/Search.ts"
import { Sources } from "../../services/Sources.ts"
import { brainLayer, runLayer } from "../extract-conversation-facts/layer.ts"

/** All that `search` needs, given an open brain. */
export const searchLayer = Layer.mergeAll(Search.layer, Sources.layer)

/**
 * All that `query` needs, given an open brain and `HostProcess`. `cap` is the most that embedding questions may cost; `openAi`
 * is asked, where something else stands in for the endpoints of the environment.
 */
export const queryLayer = (options: {
  readonly cap: Option.Option<Money.Money>
  readonly openAi?: typeof OpenAi.layer
}) =>
  Layer.mergeAll(QuestionVector.layer, Search.layer).pipe(
    Layer.provide(options.openAi ?? OpenAi.layer),
    Layer.provideMerge(runLayer({ workers: 1, cap: options.cap })),
    Layer.provideMerge(brainLayer)
  )
