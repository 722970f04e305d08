/**
 * A brain to search in, made up from a seed: texts and vectors in clusters, as real ones are. Topics have subtopics, those have
 * pages, those have chunks; each is its parent and something of its own. Uniform vectors would be all equally far from
 * each other, and nothing that is measured on them would say anything.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../src/index.ts"
import { vectorArrays } from "../src/services/database/vectorCodec.ts"

/** Width of the vectors: that of the default model. */
export const width = 1536

/** A stream of numbers in [0, 1) from a seed. */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296
  }
}

const chunksPerPage = 5
const pagesPerSubtopic = 20
const subtopicsPerTopic = 16
const wordsPerChunk = 60

/** `parent` and something of its own, of length 1. */
export const near = (parent: Float32Array, amount: number, random: () => number): Float32Array => {
  const vector = new Float32Array(width)
  const scale = amount / Math.sqrt(width)
  let sum = 0
  for (let index = 0; index < width; index += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random())) * scale
    const angle = 2 * Math.PI * random()
    const x = (parent[index] ?? 0) + radius * Math.cos(angle)
    const y = (parent[index + 1] ?? 0) + radius * Math.sin(angle)
    vector[index] = x
    vector[index + 1] = y
    sum += x * x + y * y
  }
  const length = Math.sqrt(sum)
  for (let index = 0; index < width; index++) vector[index] = (vector[index] ?? 0) / length
  return vector
}

const syllables =
  "ba be bi bo da de di do fa fe ga go ha he ka ke ki ko la le li lo ma me mi mo na ne no pa pe ra re ri ro sa se ta te ti to va ve".split(
    " "
  )

/** The word with a number; numbers are places in a vocabulary by how common its words are. */
const word = (number: number): string => {
  let rest = number
  let text = ""
  do {
    text += syllables[rest % syllables.length] ?? ""
    rest = Math.floor(rest / syllables.length)
  } while (rest > 0)
  return `${text}n`
}

const vocabulary = 40_000

/** A word as common as its place says: a tenth of all text is the first ten. */
const zipf = (random: () => number): number => Math.floor(Math.exp(random() * Math.log(vocabulary))) - 1

/** A question, with the vector of what it means. */
export interface BenchQuestion {
  readonly text: string
  readonly vector: Float32Array
}

interface Batch {
  readonly pages: Array<{ id: number; slug: string; title: string; type: string; source: string }>
  readonly chunks: Array<{ page: number; index: number; text: string; vector: Float32Array }>
  readonly facts: Array<{ slug: string; source: string; fact: string; vector: Float32Array }>
}

/** Fills the open brain with so many chunks, a fact for every fifth of them, and answers questions to ask. */
export const fill = Effect.fnUntraced(function* (chunks: number, questions: number) {
  const sql = yield* SqlClient.SqlClient
  const arrays = yield* vectorArrays(sql, (yield* Database).types)
  yield* sql`insert into sources (id, name) values ('small', 'small') on conflict do nothing`
  yield* sql`drop index if exists idx_chunks_embedding`
  yield* sql`drop index if exists idx_facts_embedding_hnsw`
  const asked: Array<BenchQuestion> = []
  for (const batch of batches(chunks, questions, asked)) yield* write(batch, arrays)
  yield* sql`select setval('pages_id_seq', (select max(id) from pages))`
  return asked
})

function* batches(chunks: number, questions: number, asked: Array<BenchQuestion>): Generator<Batch> {
  const random = seeded(7)
  const pages = Math.ceil(chunks / chunksPerPage)
  const askEvery = Math.max(1, Math.floor(chunks / questions))
  let topic: Float32Array = new Float32Array(width)
  let subtopic: Float32Array = topic
  let words: ReadonlyArray<number> = []
  let batch: Batch = { pages: [], chunks: [], facts: [] }
  for (let page = 0; page < pages; page++) {
    if (page % (pagesPerSubtopic * subtopicsPerTopic) === 0) topic = near(new Float32Array(width), 1, random)
    if (page % pagesPerSubtopic === 0) {
      subtopic = near(topic, 0.7, random)
      words = Array.from({ length: 60 }, () => 200 + Math.floor(random() * (vocabulary - 200)))
    }
    const own = near(subtopic, 0.6, random)
    const source = page % 50 === 0 ? "small" : "default"
    const slug = `notes/${page}`
    batch.pages.push({
      id: page + 1,
      slug,
      source,
      title: `${word(words[page % 60] ?? 0)} ${page}`,
      type: page % 10 === 0 ? "meeting" : "note"
    })
    for (let index = 0; index < chunksPerPage; index++) {
      const picked = Array.from({ length: wordsPerChunk }, () =>
        random() < 0.5 ? zipf(random) : (words[Math.floor(random() * 60)] ?? 0)
      )
      const vector = near(own, 0.5, random)
      batch.chunks.push({ page: page + 1, index, text: picked.map(word).join(" "), vector })
      if ((page * chunksPerPage + index) % askEvery === 0 && asked.length < questions) {
        const rare = picked.filter((number) => number >= 200).slice(0, 3)
        const usual = picked.filter((number) => number < 200).slice(0, 3)
        asked.push({ text: [...rare, ...usual].map(word).join(" "), vector: near(vector, 0.5, random) })
      }
    }
    batch.facts.push({
      slug,
      source,
      fact: Array.from({ length: 10 }, () =>
        word(random() < 0.5 ? zipf(random) : (words[Math.floor(random() * 60)] ?? 0))
      ).join(" "),
      vector: near(own, 0.5, random)
    })
    if (batch.pages.length === 100 || page === pages - 1) {
      yield batch
      batch = { pages: [], chunks: [], facts: [] }
    }
  }
}

const write = Effect.fnUntraced(function* (
  batch: Batch,
  arrays: Effect.Success<ReturnType<typeof vectorArrays>>
) {
  const sql = yield* SqlClient.SqlClient
  const chunkVectors = yield* arrays(batch.chunks.map((it) => it.vector))
  const factVectors = yield* arrays(batch.facts.map((it) => it.vector))
  yield* sql`
    insert into pages (id, source_id, slug, type, title, content_hash)
    select * from unnest(${batch.pages.map((it) => it.id)}::int[], ${batch.pages.map((it) => it.source)}::text[],
      ${batch.pages.map((it) => it.slug)}::text[], ${batch.pages.map((it) => it.type)}::text[],
      ${batch.pages.map((it) => it.title)}::text[], ${batch.pages.map((it) => it.slug)}::text[])`
  yield* sql`
    insert into content_chunks (page_id, chunk_index, chunk_text, embedding, embedded_at)
    select page, place, text, vector, now() from unnest(${batch.chunks.map((it) => it.page)}::int[],
      ${batch.chunks.map((it) => it.index)}::int[], ${batch.chunks.map((it) => it.text)}::text[], ${chunkVectors})
      as row(page, place, text, vector)`
  yield* sql`
    insert into facts (source_id, source, source_markdown_slug, row_num, fact, embedding, embedded_at)
    select source, 'cli:extract-conversation-facts', slug, 0, fact, vector::halfvec, now()
    from unnest(${batch.facts.map((it) => it.source)}::text[], ${batch.facts.map((it) => it.slug)}::text[],
      ${batch.facts.map((it) => it.fact)}::text[], ${factVectors}) as row(source, slug, fact, vector)`
})
