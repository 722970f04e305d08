/** What a run leaves in gbrain's books. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, putPages, standIn } from "../../support/extraction.ts"

onBothDatabases("gbrain's books", (brain) => {
  it.live(
    "have a receipt of each run that learnt something, and a row a day with costs, runs and halts",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const api = yield* standIn()
        yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
        const first = yield* extract(api.url)
        yield* extract(api.url)
        yield* putPages([{ slug: "chats/two", body: conversation("boat", 2) }])
        api.behave({ rules: [{ endpoint: "chat", fault: { kind: "refusal" } }] })
        const third = yield* extract(api.url)
        const rollup = yield* sql<{ cost: number }>`
        select kind, source_id, cost_usd::float8 as cost, round_completed_count as rounds, halt_count as halts,
          day = (now() at time zone 'UTC')::date as today from extract_rollup_7d`
        expect(rollup).toMatchObject([
          { kind: "facts.conversation", source_id: "default", rounds: 2, halts: 1, today: true }
        ])
        expect(rollup[0]?.cost).toBeCloseTo(first.spent_usd + third.spent_usd, 8)
        const receipts = yield* sql<{ slug: string }>`
        select slug, type, title, frontmatter, compiled_truth like '%2 facts from 1 pages%' as told
        from pages where type = 'extract_receipt'`
        const [run] = yield* sql<{ id: string }>`select min(id)::text as id from gbrain_effect.runs`
        expect(receipts).toMatchObject([
          {
            type: "extract_receipt",
            title: `Facts from conversations, run ${run?.id}`,
            frontmatter: {
              type: "extract_receipt",
              kind: "facts.conversation",
              source_id: "default",
              dream_generated: true,
              total_rows: 2,
              model_id: "openai:gpt-4.1-mini"
            },
            told: true
          }
        ])
        expect(receipts[0]?.slug).toMatch(
          new RegExp(`^extracts/\\d{4}-\\d{2}-\\d{2}/facts\\.conversation/default/run-${run?.id}/round-full$`)
        )
      }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
