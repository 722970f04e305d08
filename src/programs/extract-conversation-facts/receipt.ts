/**
 * What a run leaves in gbrain's books, beside the facts: a page that tells what was extracted, and the weekly rollup. Both
 * are for reading only; failing to write them fails nothing.
 */
import { Clock, DateTime, Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../domain/Money.ts"
import type { ConversationScope } from "../../services/Conversations.ts"
import type { Run } from "../../services/Runs.ts"
import { sha256Hex } from "../../services/Sha256.ts"
import type { ExtractionReport } from "./report.ts"

/** gbrain's name for the operation, in receipts and in its weekly rollup. */
const kind = "facts.conversation"

/** The type of a receipt's page. Never extracted from, and never an entity. */
const receiptType = "extract_receipt"

/** Writes both. The costs of a run over several sources are booked on its first. */
export const keepBooks = (scope: ConversationScope, run: Run, spent: Money.Money, report: ExtractionReport) =>
  Effect.gen(function* () {
    const [sourceId] = scope.sourceIds
    if (sourceId === undefined) return
    yield* writeRollup(sourceId, spent, report)
    if (report.facts_inserted > 0) yield* writeReceipt(sourceId, run, spent, report)
  }).pipe(Effect.ignore)

const writeRollup = Effect.fnUntraced(function* (
  sourceId: string,
  spent: Money.Money,
  report: ExtractionReport
) {
  const sql = yield* SqlClient.SqlClient
  const halted = report.status !== "completed" ? 1 : 0
  yield* sql`
    insert into extract_rollup_7d as rollup (kind, source_id, day, cost_usd, halt_count, round_completed_count)
    values (${kind}, ${sourceId}, (now() at time zone 'UTC')::date, ${Money.toDecimal(spent, 12)}::real, ${halted},
      ${1 - halted})
    on conflict (kind, source_id, day) do update set cost_usd = rollup.cost_usd + excluded.cost_usd,
      halt_count = rollup.halt_count + excluded.halt_count,
      round_completed_count = rollup.round_completed_count + excluded.round_completed_count, updated_at = now()`
})

// gbrain's receipts of runs within the same half hour overwrite each other; the number of a run is its own.
const writeReceipt = Effect.fnUntraced(function* (
  sourceId: string,
  run: Run,
  spent: Money.Money,
  report: ExtractionReport
) {
  const sql = yield* SqlClient.SqlClient
  const at = DateTime.makeUnsafe(yield* Clock.currentTimeMillis)
  const runId = `run-${run.id}`
  const slug = `extracts/${DateTime.formatIsoDateUtc(at)}/${kind}/${sourceId}/${runId}/round-full`
  const body = [
    `# Facts from conversations, run ${run.id}`,
    "",
    `${report.facts_inserted} facts from ${report.pages_processed} pages, asked of \`${report.model}\`; ` +
      `${Money.format(spent)} spent. The run ended as: ${report.status}.`
  ].join("\n")
  const frontmatter = {
    type: receiptType,
    dream_generated: true,
    raw_trace_exempt: true,
    kind,
    source_id: sourceId,
    run_id: runId,
    round: "full",
    extracted_at: DateTime.formatIso(at),
    total_rows: report.facts_inserted,
    cost_usd: Money.toNumber(spent),
    model_id: report.model
  }
  yield* sql`
    insert into pages (source_id, slug, type, title, compiled_truth, timeline, frontmatter, content_hash)
    values (${sourceId}, ${slug}, ${receiptType}, ${`Facts from conversations, run ${run.id}`}, ${body}, '',
      ${JSON.stringify(frontmatter)}::jsonb, ${sha256Hex(body)})
    on conflict (source_id, slug) do nothing`
})
