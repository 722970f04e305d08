/**
 * What a run leaves in gbrain's books, beside the facts: a page that tells what was extracted, and the weekly rollup. Both
 * are for reading only; failing to write them fails nothing.
 */
import { Clock, DateTime, Effect } from "effect"
import * as Money from "../../domain/Money.ts"
import { Books } from "../../services/Books.ts"
import type { ConversationScope } from "../../services/Conversations.ts"
import type { Run } from "../../services/Runs.ts"
import type { ExtractionReport } from "./report.ts"

/** gbrain's name for the operation, in receipts and in its weekly rollup. */
const kind = "facts.conversation"

/** Writes both. The costs of a run over several sources are booked on its first. */
export const keepBooks = (scope: ConversationScope, run: Run, spent: Money.Money, report: ExtractionReport) =>
  Effect.gen(function* () {
    const [sourceId] = scope.sourceIds
    if (sourceId === undefined) return
    const books = yield* Books
    yield* books.addToRollup({ kind, sourceId, spent, completed: report.status === "completed" })
    if (report.facts_inserted > 0)
      yield* books.writeReceipt(receiptOf(sourceId, run, spent, report, yield* now))
  }).pipe(Effect.ignore)

const now = Effect.map(Clock.currentTimeMillis, DateTime.makeUnsafe)

// gbrain's receipts of runs within the same half hour overwrite each other; the number of a run is its own.
const receiptOf = (
  sourceId: string,
  run: Run,
  spent: Money.Money,
  report: ExtractionReport,
  at: DateTime.Utc
) => {
  const runId = `run-${run.id}`
  return {
    sourceId,
    slug: `extracts/${DateTime.formatIsoDateUtc(at)}/${kind}/${sourceId}/${runId}/round-full`,
    title: `Facts from conversations, run ${run.id}`,
    body: [
      `# Facts from conversations, run ${run.id}`,
      "",
      `${report.facts_inserted} facts from ${report.pages_processed} pages, asked of \`${report.model}\`; ` +
        `${Money.format(spent)} spent. The run ended as: ${report.status}.`
    ].join("\n"),
    frontmatter: {
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
  }
}
