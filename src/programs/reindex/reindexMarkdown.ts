/**
 * `reindex --markdown`: pages whose chunks are not a cut of their text, or one by an older chunker, are cut again; nothing else of them
 * is touched. A chunk whose text stays keeps its row, so what was paid for its embedding is kept too. See decision 012 for what
 * is left alone, and why.
 */
import { Effect, Option } from "effect"
import { chunksFit } from "../../domain/ChunkFit.ts"
import { type ChunkPlan, hasChanges, planChunks } from "../../domain/ChunkPlan.ts"
import { chunkerVersion, chunkRules } from "../../domain/Chunks.ts"
import { type ChunkedPage, ChunkPages, type ListedPage } from "../../services/ChunkPages.ts"
import { Sources } from "../../services/Sources.ts"
import { endingOf } from "../sweep/ending.ts"
import { sweep } from "../sweep/sweep.ts"
import { pageChunks } from "../import/pageChunks.ts"
import type { RechunkReason, ReindexReport } from "./report.ts"

/** What is looked at. */
export interface ReindexOptions {
  /** One source; all that are not archived unless told. */
  readonly sourceId: Option.Option<string>
  readonly type: Option.Option<string>
  /** The most pages that are read. */
  readonly limit: Option.Option<number>
  readonly dryRun: boolean
}

/** How often a page that is edited meanwhile is taken again. */
const rounds = 3

/** Changes that are shown. */
const samplesKept = 20

/** Brings the chunks of pages up to date. `onInterrupt` gets the report of a run that is interrupted. */
export const reindexMarkdown = Effect.fn("reindexMarkdown")(function* (
  options: ReindexOptions,
  onInterrupt: (report: ReindexReport) => Effect.Effect<void> = () => Effect.void
) {
  const store = yield* ChunkPages
  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  const scope = { sourceIds, type: options.type }
  if (!options.dryRun) yield* store.tidy
  const counts = yield* store.count(scope)
  const tally = { examined: 0, rechunked: 0, edited: 0, failed: 0 }
  const chunks = { kept: 0, moved: 0, created: 0, removed: 0 }
  const samples: Array<ReindexReport["changes"][number]> = []

  const count = ({ page, plan, reason }: Judged) => {
    tally.examined++
    if (reason === undefined || !hasChanges(plan)) return
    tally.rechunked++
    chunks.kept += plan.kept
    chunks.moved += plan.moved.length
    chunks.created += plan.added.length
    chunks.removed += plan.removed.length
    if (samples.length < samplesKept) {
      samples.push({ slug: page.slug, reason, created: plan.added.length, removed: plan.removed.length })
    }
  }

  const work = Effect.fnUntraced(function* (group: ReadonlyArray<ListedPage>) {
    let left = group.map((page) => page.id)
    for (let round = 0; round < rounds && left.length > 0; round++) {
      const judged = yield* Effect.forEach(yield* store.load(left), judge)
      const unchanged = options.dryRun ? new Set(left) : yield* store.commit(judged)
      judged.filter(({ page }) => unchanged.has(page.id)).forEach(count)
      left = judged.map(({ page }) => page.id).filter((id) => !unchanged.has(id))
    }
    tally.edited += left.length
    return { done: group.length - left.length, skipped: left.length }
  })

  const toDo = Math.min(
    counts.toDo,
    Option.getOrElse(options.limit, () => counts.toDo)
  )
  return yield* sweep({
    command: "reindex --markdown",
    unit: "pages",
    total: toDo,
    dryRun: options.dryRun,
    groups: store.groups(scope, options.limit),
    label: (page) => page.slug,
    work,
    onInterrupt,
    report: (ending): ReindexReport => ({
      command: "reindex",
      mode: "markdown",
      ...endingOf(ending, { dryRun: options.dryRun, sources: sourceIds, done: tally.examined }),
      type: Option.getOrNull(options.type),
      pages_considered: counts.total,
      pages_up_to_date: counts.total - counts.toDo,
      pages_examined: tally.examined,
      pages_right: tally.examined - tally.rechunked,
      pages_rechunked: tally.rechunked,
      pages_left: Math.max(0, counts.toDo - tally.examined - tally.edited - ending.failed),
      pages_edited: tally.edited,
      chunks,
      changes: samples
    })
  })
})

interface Judged {
  readonly page: ChunkedPage
  readonly plan: ChunkPlan
  readonly rules: number | null
  /** Why the page is cut again; nothing when it is not. */
  readonly reason: RechunkReason | undefined
}

const judge = Effect.fnUntraced(function* (page: ChunkedPage) {
  const reason = reasonToCut(page)
  if (reason === undefined) {
    return {
      page,
      plan: { kept: page.chunks.length, moved: [], added: [], removed: [] },
      rules: page.rules,
      reason
    } satisfies Judged
  }
  const wanted = page.left_out
    ? []
    : yield* pageChunks({ compiledTruth: page.compiled_truth, timeline: page.timeline, frontmatter: {} })
  return { page, plan: planChunks(page.chunks, wanted), rules: chunkRules, reason } satisfies Judged
})

const reasonToCut = (page: ChunkedPage): RechunkReason | undefined => {
  if (page.chunker_version < chunkerVersion) return "older chunker"
  if (page.rules !== null && page.rules < chunkRules) return "older rules"
  if (isCutOfText(page)) return undefined
  return page.chunks.length === 0 ? "no chunks" : "text changed"
}

const isCutOfText = (page: ChunkedPage): boolean => {
  const of = (source: string) =>
    page.chunks.filter((chunk) => chunk.source === source).map((chunk) => chunk.text)
  return page.left_out
    ? page.chunks.length === 0
    : chunksFit(page.compiled_truth, of("compiled_truth")) && chunksFit(page.timeline, of("timeline"))
}
