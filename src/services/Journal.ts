/**
 * What was paid for is kept. The answer to every model call is written down the moment it arrives, keyed by what was
 * asked; before a call is made, the journal is asked whether it was made before. So a run that was killed, capped or
 * interrupted pays again only for calls whose answers had not come back, and an appended page pays only for what is new.
 *
 * Two kinds: chat answers stay, so that unchanged parts of edited pages cost nothing; vectors are large and are kept only
 * until the page they belong to is committed. From then on the facts have them, and a fact that is written again brings its own.
 */
import { Context, Duration, Effect, Layer } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import { factSource } from "../domain/ConversationPages.ts"
import type * as Money from "../domain/Money.ts"
import { Database } from "./Database.ts"
import { hasOwnTables } from "./database/ownTables.ts"
import { resilient } from "./database/Resilience.ts"
import { vectorArrays } from "./database/vectorCodec.ts"
import { joinCalls } from "./joinCalls.ts"
import { successesFor } from "./successesFor.ts"

/** An answer to a chat call, as it was given. */
export interface JournaledAnswer {
  /** Tells what was asked: a hash of the model, the prompt's version and the text. */
  readonly key: string
  readonly model: string
  readonly answer: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cost: Money.Money
}

/** A vector that was paid for. */
export interface JournaledVector {
  readonly key: string
  readonly vector: Float32Array
}

interface TextAsked {
  readonly key: string
  readonly text: string
  readonly sourceId: string
  readonly slug: string
  readonly model: string
  readonly dimensions: number
}

/** Answers paid for. */
export class Journal extends Context.Service<
  Journal,
  {
    /** The chat answers that are known among `keys`, or those that came at or after an instant. */
    readonly answers: (
      keys: ReadonlyArray<string>,
      since?: Date
    ) => Effect.Effect<ReadonlyMap<string, string>, SqlError.SqlError>
    /** Writes an answer down; a later one to the same question takes the place of the earlier. */
    readonly recordAnswer: (entry: JournaledAnswer) => Effect.Effect<void, SqlError.SqlError>
    /** How many answers of a model there are, of the last thousand, and how many tokens they had on average. */
    readonly usual: (
      model: string
    ) => Effect.Effect<{ readonly answers: number; readonly outputTokens: number }, SqlError.SqlError>
    /** Whether there is any vector at all. */
    readonly holdsVectors: Effect.Effect<boolean, SqlError.SqlError>
    /** The vectors that are known among `keys`. */
    readonly vectors: (
      keys: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, Float32Array>, SqlError.SqlError>
    /**
     * The vectors that are known of these texts: journaled ones, and those that facts of the page have, which are journaled by this.
     * The latter only while the brain is of the model `embedding`, since a vector does not tell which made it.
     */
    readonly adoptVectors: (
      page: { readonly sourceId: string; readonly slug: string },
      embedding: { readonly model: string; readonly dimensions: number },
      entries: ReadonlyArray<{ readonly key: string; readonly text: string }>
    ) => Effect.Effect<ReadonlyMap<string, Float32Array>, SqlError.SqlError>
    /** Writes vectors down, together with those of others that come meanwhile. */
    readonly recordVectors: (
      entries: ReadonlyArray<JournaledVector>
    ) => Effect.Effect<void, SqlError.SqlError>
  }
>()("gbrain/Journal") {
  /** The journal of the open brain, in tables of our own. */
  static readonly layer = Layer.effect(
    Journal,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const empty = !(yield* hasOwnTables(sql))
      // Asked for when first needed: a database without pgvector can be opened, and examined.
      const vectorArray = yield* Effect.cachedWithTTL(
        resilient(vectorArrays(sql, (yield* Database).types)),
        successesFor(Duration.infinity)
      )
      const foundVectors = (
        find: Statement.Statement<{ readonly key: string; readonly vector: Float32Array }>
      ) =>
        Effect.andThen(vectorArray, resilient(find)).pipe(
          Effect.map((rows) => new Map(rows.map((row) => [row.key, row.vector])))
        )

      // A statement must not meet a row twice.
      const lastOfEach = <A extends { readonly key: string }>(entries: ReadonlyArray<A>) => [
        ...new Map(entries.map((entry) => [entry.key, entry])).values()
      ]

      const writeAnswers = joinCalls({
        rowsAtMost: 64,
        run: (all: ReadonlyArray<JournaledAnswer>) => {
          const entries = lastOfEach(all)
          return resilient(sql`
            insert into gbrain_effect.journal_answers (key, model, answer, input_tokens, output_tokens, cost_picousd)
            select * from unnest(${entries.map((it) => it.key)}::text[], ${entries.map((it) => it.model)}::text[],
              ${entries.map((it) => it.answer)}::text[], ${entries.map((it) => it.inputTokens)}::int[],
              ${entries.map((it) => it.outputTokens)}::int[], ${entries.map((it) => it.cost.toString())}::numeric[])
            on conflict (key) do update set answer = excluded.answer, input_tokens = excluded.input_tokens,
              output_tokens = excluded.output_tokens, cost_picousd = excluded.cost_picousd, created_at = now()`).pipe(
            Effect.asVoid
          )
        }
      })

      const answersOf = (keys: ReadonlyArray<string>, since?: Date) =>
        resilient(sql<{ readonly key: string; readonly answer: string }>`
          select key, answer from gbrain_effect.journal_answers where key = any(${keys}::text[])
            and ${since === undefined ? sql`true` : sql`created_at >= ${since.toISOString()}`}`).pipe(
          Effect.map((rows): ReadonlyMap<string, string> => new Map(rows.map((row) => [row.key, row.answer])))
        )
      const readAnswers = joinCalls({
        run: (keys: ReadonlyArray<string>) => answersOf(keys),
        rowsAtMost: 512
      })

      const writeVectors = joinCalls({
        rowsAtMost: 256,
        run: Effect.fnUntraced(function* (all: ReadonlyArray<JournaledVector>) {
          const entries = lastOfEach(all)
          const vectors = yield* (yield* vectorArray)(entries.map((entry) => entry.vector))
          yield* resilient(sql`
            insert into gbrain_effect.journal_vectors (key, vector)
            select * from unnest(${entries.map((entry) => entry.key)}::text[], ${vectors})
            on conflict (key) do nothing`)
        })
      })

      // The facts of a page are read once, however many texts are asked for.
      const adoptJoined = joinCalls({
        rowsAtMost: 512,
        run: (entries: ReadonlyArray<TextAsked>) => {
          const column = (of: (entry: TextAsked) => string) => sql`${entries.map(of)}::text[]`
          return foundVectors(sql`
            with entry as (
              select * from unnest(${column((it) => it.key)}, ${column((it) => it.text)}, ${column((it) => it.sourceId)},
                ${column((it) => it.slug)}, ${column((it) => it.model)}, ${entries.map((it) => it.dimensions)}::int[])
                as entry(key, text, source_id, slug, model, dimensions)
            ), said as materialized (
              select page.source_id, page.slug, fact.* from (select distinct source_id, slug from entry) as page
              cross join lateral (
                select id, fact, embedding from facts
                where source_id = page.source_id and source_markdown_slug = page.slug and row_num is not null
                  and source = ${factSource} and embedding is not null
                offset 0
              ) as fact
            ), adopted as (
              insert into gbrain_effect.journal_vectors (key, vector)
              select distinct on (entry.key) entry.key, said.embedding::vector
              from entry join said on said.fact = entry.text and said.slug = entry.slug and said.source_id = entry.source_id
              where vector_dims(said.embedding::vector) = entry.dimensions
                and coalesce((select value from config where key = 'embedding_model'), entry.model) = entry.model
              order by entry.key, said.id
              on conflict (key) do nothing
              returning key, vector
            )
            select key, vector from adopted
            union all
            select key, vector from gbrain_effect.journal_vectors where key in (select key from entry)`)
        }
      })

      return Journal.of({
        answers: Effect.fnUntraced(function* (keys, since) {
          if (empty || keys.length === 0) return new Map()
          if (since !== undefined) return yield* answersOf(keys, since)
          const asked = new Set(keys)
          return new Map([...(yield* readAnswers(keys))].filter(([key]) => asked.has(key)))
        }),
        recordAnswer: (entry) => writeAnswers([entry]),
        usual: (model) =>
          empty
            ? Effect.succeed({ answers: 0, outputTokens: 0 })
            : sql<{ readonly answers: number; readonly tokens: number }>`
            select count(*)::int as answers, coalesce(avg(output_tokens), 0)::float8 as tokens from (
              select output_tokens from gbrain_effect.journal_answers where model = ${model}
              order by created_at desc limit 1000
            ) as last`.pipe(
                Effect.map(([row]) => ({ answers: row?.answers ?? 0, outputTokens: row?.tokens ?? 0 }))
              ),
        holdsVectors: empty
          ? Effect.succeed(false)
          : resilient(sql<{ readonly holds: boolean }>`
              select exists (select 1 from gbrain_effect.journal_vectors) as holds`).pipe(
              Effect.map(([row]) => row?.holds === true)
            ),
        vectors: (keys) =>
          empty || keys.length === 0
            ? Effect.succeed(new Map())
            : foundVectors(
                sql`select key, vector from gbrain_effect.journal_vectors where key = any(${keys}::text[])`
              ),
        adoptVectors: (page, embedding, entries) =>
          entries.length === 0
            ? Effect.succeed(new Map())
            : adoptJoined(entries.map((entry) => ({ ...page, ...embedding, ...entry }))),
        recordVectors: (entries) => (entries.length === 0 ? Effect.void : writeVectors(entries))
      })
    })
  )
}
