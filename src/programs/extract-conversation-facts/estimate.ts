/**
 * What questions will cost and how long they will take, foretold: tokens in are counted, on a sample when there are many;
 * tokens out and seconds are what this brain's answers took before, and where there are too few of them, what is usual.
 */
import { Effect, Option } from "effect"
import { maxFactsPerSegment } from "../../domain/Fact.ts"
import * as Money from "../../domain/Money.ts"
import { costOf } from "../../domain/Prices.ts"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import { Journal } from "../../services/Journal.ts"
import { Prices } from "../../services/Prices.ts"
import { loadTokenCounter } from "../../services/TokenCounter.ts"
import { lastPace } from "../pace.ts"
import { answerSchema, systemPrompt, userPrompt } from "./prompt.ts"
import { answerTokens, type Question } from "./segment.ts"

/** Text counted exactly; beyond that the rest is taken to be like it. */
const sampledCharacters = 4_000_000

/** What a server wraps around two messages. */
const messageOverhead = 10

/** With so many answers of a model in the journal, the next will be like them. */
const enoughAnswers = 20

// What is usual, where the brain does not know better: three facts from four messages, each of so many tokens.
const factsPerMessage = 0.75
const tokensPerFact = 60
const tokensPerAnswer = 15
const tokensPerEmbeddedFact = 12
const secondsBeforeAnswer = 1
const tokensPerSecond = 80

/** Makes an estimate for the chat `model`; questions are added to it one by one. */
export const makeEstimate = Effect.fn("makeEstimate")(function* (model: string) {
  const price = (yield* Prices).of(model)
  const embedding = (yield* Prices).of((yield* embeddingSettings(yield* BrainConfig)).model)
  const usual = yield* (yield* Journal).usual(model)
  const pace = yield* lastPace({ command: "extract-conversation-facts", model, calls: "chat_calls" })
  const count = yield* loadTokenCounter
  const perQuestion =
    messageOverhead + count(systemPrompt) + count(JSON.stringify(answerSchema)) + count(userPrompt(""))

  let questions = 0
  let characters = 0
  let sampled = 0
  let sampledTokens = 0
  let facts = 0

  const add = (question: Question): void => {
    const { length } = question.rendered
    questions++
    characters += length
    facts += Math.min(maxFactsPerSegment, question.messages * factsPerMessage)
    if (sampled >= sampledCharacters) return
    sampled += length
    sampledTokens += count(question.rendered)
  }

  const result = (workers: Option.Option<number>) => {
    const input =
      questions * perQuestion + Math.ceil(sampled === 0 ? 0 : sampledTokens * (characters / sampled))
    const output = Math.round(
      usual.answers >= enoughAnswers
        ? questions * usual.outputTokens
        : questions * tokensPerAnswer + facts * tokensPerFact
    )
    const embedded = Option.match(embedding, {
      onNone: () => Money.zero,
      onSome: (known) => costOf(known, used(Math.round(facts * tokensPerEmbeddedFact), 0))
    })
    const dollars = (outputTokens: number) =>
      Option.getOrNull(
        Option.map(price, (known) =>
          Money.toNumber(Money.add(costOf(known, used(input, outputTokens)), embedded))
        )
      )
    const secondsEach = Option.getOrElse(
      pace,
      () => secondsBeforeAnswer + output / Math.max(1, questions) / tokensPerSecond
    )
    return {
      questions,
      workers: Option.getOrNull(workers),
      input_tokens: input,
      output_tokens: output,
      estimated_usd: dollars(output),
      at_most_usd: dollars(questions * answerTokens),
      estimated_seconds: Option.getOrNull(
        Option.map(workers, (atOnce) => Math.ceil(Math.ceil(questions / atOnce) * secondsEach))
      )
    }
  }

  return { add, result }
})

const used = (inputTokens: number, outputTokens: number) => ({ inputTokens, outputTokens, cachedTokens: 0 })
