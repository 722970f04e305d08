/**
 * One question to the model: a segment's facts. Answers that were paid for are taken from the journal. An answer that cannot
 * be read is asked for once more in stricter words, one that was cut once more with twice the room; then the segment has
 * failed, which is on record, so that it is not paid for without end.
 */
import { Effect, Option, Result, Schema } from "effect"
import { type FactAnswer, readFactAnswer } from "../../domain/FactAnswer.ts"
import type { ModelError } from "../../domain/ModelError.ts"
import { ChatModel } from "../../services/ChatModel.ts"
import { Journal } from "../../services/Journal.ts"
import { answerSchema, stricterPrompt, systemPrompt, userPrompt } from "./prompt.ts"

/** The room for an answer, in tokens; doubled once when an answer is cut. gbrain's value. */
export const answerTokens = 4_000

/** A segment got no usable answer. */
export class SegmentFailed extends Schema.TaggedError<SegmentFailed>()("SegmentFailed", {
  key: Schema.String,
  /** Whether the request was refused rather than its answer of no use. */
  rejected: Schema.Boolean,
  message: Schema.String
}) {}

/** A question, ready to be asked. */
export interface Question {
  /** `answerKey`. */
  readonly key: string
  readonly rendered: string
  /** How many messages it shows. */
  readonly messages: number
}

/** Reads a journaled answer; none when it is not of any use (any more). */
export const readJournaled = (question: Question, answer: string | undefined): Option.Option<FactAnswer> =>
  answer === undefined ? Option.none() : Result.getSuccess(readFactAnswer(answer, question.messages))

/** Asks the model, and journals the answer the moment it is there. */
export const askSegment = Effect.fn("askSegment")(function* (question: Question) {
  const model = yield* ChatModel
  const journal = yield* Journal

  const ask = (system: string, maxOutputTokens: number) =>
    model
      .ask({
        system,
        user: userPrompt(question.rendered),
        maxOutputTokens,
        schema: { name: "facts", schema: answerSchema }
      })
      .pipe(
        Effect.catchTag("ModelError", (error): Effect.Effect<never, ModelError | SegmentFailed> =>
          unanswerable.has(error.reason)
            ? Effect.fail(
                new SegmentFailed({
                  key: question.key,
                  rejected: error.reason === "Rejected",
                  message: error.message
                })
              )
            : Effect.fail(error)
        )
      )

  // Once the answer is there it is paid for: from then to its place in the journal nothing interrupts. The call's waits can be
  // interrupted by themselves.
  const attempt = (system: string, maxOutputTokens: number) =>
    Effect.uninterruptible(
      Effect.gen(function* () {
        const answer = yield* ask(system, maxOutputTokens)
        const read = readFactAnswer(answer.text, question.messages)
        if (Result.isSuccess(read) && !answer.truncated) {
          yield* journal.recordAnswer({
            key: question.key,
            model: model.model,
            answer: answer.text,
            inputTokens: answer.usage.inputTokens,
            outputTokens: answer.usage.outputTokens,
            cost: answer.cost
          })
        }
        return { read, truncated: answer.truncated }
      })
    )

  const first = yield* attempt(systemPrompt, answerTokens)
  if (Result.isSuccess(first.read) && !first.truncated) return first.read.success
  const second = first.truncated
    ? yield* attempt(systemPrompt, answerTokens * 2)
    : yield* attempt(stricterPrompt, answerTokens)
  if (Result.isSuccess(second.read) && !second.truncated) return second.read.success
  return yield* new SegmentFailed({
    key: question.key,
    rejected: false,
    message: second.truncated
      ? `the answer was cut at ${answerTokens * 2} tokens`
      : Result.match(second.read, { onFailure: (why) => why, onSuccess: () => "the answer was cut" })
  })
})

/** Reasons that concern the text: another run would end the same way, so they are counted against the segment. */
const unanswerable: ReadonlySet<string> = new Set([
  "Refused",
  "ContentFiltered",
  "ContextTooLong",
  "Rejected"
])
