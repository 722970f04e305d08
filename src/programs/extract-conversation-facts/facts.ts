/**
 * From answers to rows: facts said twice are kept once, names are led to pages, times come from the messages that a fact
 * cites. Facts that the page has already bring their vectors; the others' are made, and journaled until the page is committed.
 */
import { Effect, Option, Result } from "effect"
import type { Message } from "../../domain/conversation/Message.ts"
import type { Segment } from "../../domain/conversation/Segment.ts"
import { timeOf } from "../../domain/conversation/Render.ts"
import type { ExtractedFact } from "../../domain/Fact.ts"
import { EmbeddingModel, TextRefused } from "../../services/EmbeddingModel.ts"
import { Entities } from "../../services/Entities.ts"
import type { FactRow } from "../../services/FactStore.ts"
import { FactVectors, type KeyedText } from "../../services/FactVectors.ts"
import { Journal } from "../../services/Journal.ts"
import { vectorKey } from "./prompt.ts"
import { refusals, type Trial, works } from "./trial.ts"
import { makeTwins } from "./twins.ts"

/** Facts of one segment. */
export interface SegmentFacts {
  readonly segment: Segment
  readonly facts: ReadonlyArray<ExtractedFact>
}

/** The rows of a page. */
export interface PageFacts {
  readonly rows: ReadonlyArray<FactRow>
  /** Where the vectors of facts are journaled that say another fact again. */
  readonly spareVectors: ReadonlyArray<string>
  readonly duplicates: number
  readonly unattached: number
}

/** Makes a page's rows. `afresh` makes vectors anew that facts of the page have. */
export const makeRows = Effect.fn("makeRows")(function* (
  page: { readonly sourceId: string; readonly slug: string },
  answers: ReadonlyArray<SegmentFacts>,
  afresh: boolean,
  trial: Trial
) {
  const entities = yield* Entities
  const said = answers.flatMap(({ facts, segment }) => facts.map((fact) => ({ fact, segment })))
  const distinct = [...new Map(said.toReversed().map((it) => [normalise(it.fact), it])).values()].toReversed()
  const vectors = yield* embedAll(
    page,
    distinct.map(({ fact }) => fact.fact),
    afresh,
    trial
  )

  const rows: Array<FactRow> = []
  const twins = makeTwins()
  let unattached = 0
  for (const [index, { fact, segment }] of distinct.entries()) {
    const vector = vectors.vectors[index]
    const key = vectors.keys[index]
    if (vector === undefined || key === undefined) continue
    const entitySlug =
      fact.entity === null ? Option.none<string>() : yield* entities.resolve(page.sourceId, fact.entity)
    const slug = Option.getOrNull(entitySlug)
    // Somebody who has no page is known by the name.
    const subject = slug ?? `"${fact.entity?.toLowerCase() ?? ""}"`
    if (yield* twins.isTwin(subject, fact, vector)) continue
    const nameless = fact.entity !== null && slug === null
    if (nameless) unattached++
    rows.push({
      fact: fact.fact,
      kind: fact.kind,
      entitySlug: slug,
      confidence: fact.confidence,
      notability: fact.notability,
      context: contextOf(page.slug, segment, fact, nameless),
      validFrom: validFrom(segment, fact),
      metric: fact.metric,
      value: fact.value,
      unit: fact.unit,
      period: fact.period,
      vectorKey: key
    })
  }
  const needed = new Set(rows.map(({ vectorKey }) => vectorKey))
  const spareVectors = vectors.keys.filter((key) => !needed.has(key))
  return { rows, spareVectors, duplicates: said.length - rows.length, unattached } satisfies PageFacts
})

const embedAll = Effect.fnUntraced(function* (
  page: { readonly sourceId: string; readonly slug: string },
  texts: ReadonlyArray<string>,
  afresh: boolean,
  trial: Trial
) {
  const model = yield* EmbeddingModel
  const journal = yield* Journal
  const keys = texts.map((text) => vectorKey(model.model, model.dimensions, page, text))
  const known = afresh
    ? yield* journal.vectors(keys)
    : yield* journal.adoptVectors(
        page,
        model,
        texts.map((text, index) => ({ key: keys[index] ?? "", text }))
      )
  const missing = [
    ...new Map(keys.map((key, index) => [key, { key, text: texts[index] ?? "" }])).values()
  ].filter(({ key }) => !known.has(key))
  const made = missing.length === 0 ? [] : yield* makeVectors(missing, trial)
  const all = new Map([...known, ...made])
  return { keys, vectors: keys.map((key) => all.get(key)) }
})

const makeVectors = Effect.fnUntraced(function* (texts: ReadonlyArray<KeyedText>, trial: Trial) {
  const { model } = yield* EmbeddingModel
  const vectors = yield* FactVectors
  return yield* vectors.make(texts).pipe(
    Effect.tap((outcomes) => ([...outcomes.values()].some(Result.isSuccess) ? works(trial) : Effect.void)),
    Effect.flatMap((outcomes) =>
      Effect.forEach(texts, ({ key }, index) => {
        const outcome = outcomes.get(key) ?? Result.fail("no answer")
        return Result.isSuccess(outcome)
          ? Effect.succeed([key, outcome.success] as const)
          : new TextRefused({ index, message: `${model} refuses the text: ${outcome.failure}` })
      })
    ),
    refusals(trial)
  )
})

const normalise = (fact: ExtractedFact): string =>
  `${fact.entity?.toLowerCase() ?? ""}\n${fact.fact
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\p{P}\s]+/gu, " ")
    .trim()}`

const cited = (segment: Segment, fact: ExtractedFact): ReadonlyArray<Message> =>
  fact.messages.flatMap((id) => segment.messages[id - 1] ?? [])

// A fact became known when it was first said. Without a date in the conversation, gbrain's rule: when it was written down.
const validFrom = (segment: Segment, fact: ExtractedFact): number | null => {
  const messages = cited(segment, fact)
  const first = messages.length === 0 ? segment.start : messages.reduce((a, b) => (b.time < a.time ? b : a))
  return first.dateKnown ? first.time : null
}

const contextOf = (slug: string, segment: Segment, fact: ExtractedFact, nameless: boolean): string => {
  const lines = cited(segment, fact).map((message) => message.line)
  const place = lines.length === 0 ? "" : `, line ${[...new Set(lines)].join(", ")}`
  const about = nameless ? `; about "${fact.entity}", who has no page` : ""
  return `from ${slug} segment ${timeOf(segment.start)}..${timeOf(segment.end)}${place}${about}`
}
