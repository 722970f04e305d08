/** Runs of the extraction for tests: a brain, pages in it, and the stand-in server to ask. */
import { ConfigProvider, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { extractConversationFacts } from "../../src/programs/extract-conversation-facts/extractConversationFacts.ts"
import { extractionLayer } from "../../src/programs/extract-conversation-facts/layer.ts"
import {
  defaultOptions,
  type ExtractionOptions
} from "../../src/programs/extract-conversation-facts/options.ts"
import * as Money from "../../src/domain/Money.ts"
import { sha256Hex } from "../../src/services/Sha256.ts"
import type { Behaviour } from "./stand-in/behaviour.ts"
import { startStandIn } from "./stand-in/server.ts"

/** A stand-in server for the life of the scope. */
export const standIn = (behaviour: Partial<Behaviour> = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => startStandIn(behaviour)),
    (server) => Effect.promise(() => server.close())
  )

/** A page to put into a brain. */
export interface TestPage {
  readonly slug: string
  readonly body: string
  readonly type?: string
  readonly title?: string
  readonly frontmatter?: Readonly<Record<string, unknown>>
  readonly effectiveDate?: string
  readonly sourceId?: string
}

/** Puts pages into the brain; a page that is there is replaced, with a new content hash. */
export const putPages = Effect.fnUntraced(function* (pages: ReadonlyArray<TestPage>) {
  const sql = yield* SqlClient.SqlClient
  yield* Effect.forEach(
    pages,
    (page) => sql`
      insert into pages (source_id, slug, type, title, compiled_truth, frontmatter, content_hash, effective_date)
      values (${page.sourceId ?? "default"}, ${page.slug}, ${page.type ?? "conversation"}, ${page.title ?? page.slug},
        ${page.body}, ${JSON.stringify(page.frontmatter ?? {})}::jsonb, ${sha256Hex(page.body)},
        ${page.effectiveDate ?? null}::timestamptz)
      on conflict (source_id, slug) do update set compiled_truth = excluded.compiled_truth,
        content_hash = excluded.content_hash, frontmatter = excluded.frontmatter, updated_at = now()`
  )
})

/** A conversation of two people, a message a minute from 9:00, cut into `segments` parts by silences. */
export const conversation = (topic: string, messages = 4, segments = 1): string =>
  Array.from({ length: segments }, (_, segment) =>
    Array.from({ length: messages }, (_, index) => {
      const hour = 8 + segment * 2
      const clock = `${String(hour).padStart(2, "0")}:${String(index).padStart(2, "0")}`
      const who = index % 2 === 0 ? "Ana Ruiz" : "Omar Haddad"
      return `**${who}** (2025-02-03 ${clock}): I signed the ${topic} contract number ${segment}-${index} on Friday.`
    }).join("\n")
  ).join("\n")

/** Runs an extraction against a server. */
export const extract = (
  url: string,
  options: Partial<ExtractionOptions> & {
    readonly workers?: number
    readonly cap?: string
    readonly model?: string
  } = {}
) => {
  const { cap = "5", model, workers = 4, ...rest } = options
  return extractConversationFacts({ ...defaultOptions, ...rest }).pipe(
    Effect.provide(
      extractionLayer({ workers, cap: Money.parseUsd(cap), model: Option.fromUndefinedOr(model) }).pipe(
        Layer.provide(environment({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test" }))
      )
    )
  )
}

/** The environment as a test wants it. */
export const environment = (env: Readonly<Record<string, string>>) =>
  ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...env } }))

/** The facts of a page, without marks. */
export const factsOf = Effect.fnUntraced(function* (slug: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{
    fact: string
    row_num: number
    entity_slug: string | null
    context: string
    valid_from: Date
    bare: boolean
  }>`
    select fact, row_num, entity_slug, context, valid_from, embedding is null as bare from facts
    where source_markdown_slug = ${slug} and source = 'cli:extract-conversation-facts' order by row_num`
})

/** The marks of a page. */
export const marksOf = Effect.fnUntraced(function* (slug: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{
    source: string
    source_session: string
    fact: string
    row_num: number
    context: string | null
  }>`
    select source, source_session, fact, row_num, context from facts
    where source_markdown_slug = ${slug} and source like 'cli:extract-conversation-facts:%' order by row_num`
})
