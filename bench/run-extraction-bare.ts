/**
 * The same pages with nothing but what must be: `run-extraction-bare.ts DATABASE_URL API_URL PAGES WORKERS`. A loop of promises, the
 * `openai` package, and one transaction a page; no lease, journal, budget, limits, retry or progress, and whoever kills it pays
 * twice. What a segment costs here is what it costs on this machine today before we add anything.
 */
import { NodeServices } from "@effect/platform-node"
import { PgTypes } from "@effect/sql-pg"
import OpenAI from "openai"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Database, HostProcess } from "../src/index.ts"
import { answerSchema, systemPrompt, userPrompt } from "../src/programs/extract-conversation-facts/prompt.ts"
import { vectorArrays } from "../src/services/database/vectorCodec.ts"
import { fillConversations, freshBrain } from "./support/brain.ts"

const [databaseUrl = "", apiUrl = "", pages = "600", workers = "20"] = process.argv.slice(2)

const readAnswer = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ facts: Schema.Array(Schema.Struct({ fact: Schema.String })) }))
)

const model = new OpenAI({ apiKey: "sk-bench", baseURL: apiUrl })

const ask = async (segment: string) => {
  const answer = await model.chat.completions.create({
    model: "gpt-4.1-mini",
    max_completion_tokens: 4000,
    messages: [
      { role: "system", content: systemPrompt },
      { role: "user", content: userPrompt(segment) }
    ],
    response_format: {
      type: "json_schema",
      json_schema: { name: "facts", strict: true, schema: answerSchema }
    }
  })
  return readAnswer(answer.choices[0]?.message.content ?? "").facts.map(({ fact }) => fact)
}

const embed = async (texts: ReadonlyArray<string>) => {
  const answer = await model.embeddings.create({
    model: "text-embedding-3-small",
    input: [...texts],
    dimensions: 1536
  })
  return answer.data.map(({ embedding }) => Float32Array.from(embedding))
}

const program = Effect.gen(function* () {
  yield* fillConversations(Number(pages))
  const sql = yield* SqlClient.SqlClient
  const vectors = yield* vectorArrays(sql, (yield* Database).types)
  // As the extraction shows them: four messages, each with its number.
  const segmentsOf = (text: string) => {
    const lines = text.split("\n").map((line, at) => line.replace(/\*\*(.+)\*\* /, `[${(at % 4) + 1}] $1 `))
    return Array.from({ length: lines.length / 4 }, (_, at) => lines.slice(at * 4, at * 4 + 4).join("\n"))
  }
  let segments = 0

  const page = Effect.fnUntraced(function* (id: number) {
    const [row] = yield* sql<{ readonly slug: string; readonly text: string }>`
      select slug, compiled_truth as text from pages where id = ${id}`
    const asked = segmentsOf(row?.text ?? "")
    const facts = (yield* Effect.promise(() => Promise.all(asked.map(ask)))).flat()
    const made = yield* vectors(yield* Effect.promise(() => embed(facts)))
    yield* write(row?.slug ?? "", facts, made).pipe(sql.withTransaction)
    segments += asked.length
  })
  const write = (slug: string, facts: ReadonlyArray<string>, made: PgTypes.Parameter) => sql`
    insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact, embedding, embedded_at)
    select 'default', 'bare', ${slug}, ${slug}, place, fact, vector::halfvec, now()
    from unnest(${facts}::text[], ${made}) with ordinality as row(fact, vector, place)`

  const ids = (yield* sql<{ readonly id: number }>`select id from pages order by id desc`).map(({ id }) => id)
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  yield* Effect.forEach(ids, page, { concurrency: Number(workers), discard: true })
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  process.stdout.write(
    `${JSON.stringify({ seconds, cpu: (cpu.user + cpu.system) / 1000 / segments, segments })}\n`
  )
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(
      freshBrain(databaseUrl, 14).pipe(
        Layer.provideMerge(HostProcess.layer),
        Layer.provideMerge(NodeServices.layer)
      )
    )
  )
)
process.exit(0)
