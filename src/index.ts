/**
 * gbrain's bulk operations as Effect programs and layers, for use inside other Effect applications. The command line is
 * one such application; see `examples/app.ts` for another.
 *
 * @example
 * const program = extractConversationFacts(defaultOptions).pipe(
 *   Effect.provide(extractionLayer({ workers: 20, cap: Money.parseUsd("2"), model: Option.none() })),
 *   Effect.provide(Brain.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url })))),
 *   Effect.provide([HostProcess.layer, NodeServices.layer])
 * )
 */
export * as Money from "./domain/Money.ts"
export { parseConversation } from "./domain/conversation/Parse.ts"
export { renderSegment } from "./domain/conversation/Render.ts"
export { defaultSegmentOptions, segmentConversation } from "./domain/conversation/Segment.ts"
export type { Conversation, DateContext, Message, NotAConversation } from "./domain/conversation/Message.ts"
export { ModelError } from "./domain/ModelError.ts"
export { bulk, type BulkOptions, type BulkReport, type ItemContext } from "./programs/bulk.ts"
export { extract } from "./programs/extract/extract.ts"
export {
  extractForSlugs,
  extractLinksForSlugs,
  extractTimelineForSlugs,
  type WrittenPages
} from "./programs/extract/forSlugs.ts"
export { extractBrainLayer, extractLayer } from "./programs/extract/layer.ts"
export { defaultExtractOptions, type ExtractKind, type ExtractOptions } from "./programs/extract/options.ts"
export type { ExtractReport } from "./programs/extract/report.ts"
export { planExtraction, type ExtractionPlan } from "./programs/extract-conversation-facts/dryRun.ts"
export { extractConversationFacts } from "./programs/extract-conversation-facts/extractConversationFacts.ts"
export {
  brainLayer,
  extractionLayer,
  modelsLayer,
  runLayer
} from "./programs/extract-conversation-facts/layer.ts"
export { defaultOptions, type ExtractionOptions } from "./programs/extract-conversation-facts/options.ts"
export type { ExtractionReport } from "./programs/extract-conversation-facts/report.ts"
export { type FactQuery, listFacts, type ListedFact } from "./programs/facts/listFacts.ts"
export { edgesOfSymbol, type ShownEdge, type SymbolEdges } from "./programs/code/callers.ts"
export { edgesBackfill, type EdgesOptions } from "./programs/edges/edgesBackfill.ts"
export { edgesLayer } from "./programs/edges/layer.ts"
export type { EdgesReport } from "./programs/edges/report.ts"
export { type Graph, graphFrom, linksOfPage, type ShownLink } from "./programs/graph/links.ts"
export { UnknownPage } from "./programs/graph/page.ts"
export { type ShownEntry, timelineOfPage } from "./programs/graph/timeline.ts"
export { importDirectory, type ImportReport } from "./programs/import/importDirectory.ts"
export { importLayer } from "./programs/import/layer.ts"
export { reindexLayer } from "./programs/reindex/layer.ts"
export { reindexMarkdown, type ReindexOptions } from "./programs/reindex/reindexMarkdown.ts"
export type { ReindexReport } from "./programs/reindex/report.ts"
export { reindexFrontmatterLayer } from "./programs/reindex-frontmatter/layer.ts"
export {
  type FrontmatterOptions,
  reindexFrontmatter
} from "./programs/reindex-frontmatter/reindexFrontmatter.ts"
export type { FrontmatterReport } from "./programs/reindex-frontmatter/report.ts"
export { type BrainStatus, brainStatus } from "./programs/status/brainStatus.ts"
export { Brain, initBrain, NoBrain } from "./services/Brain.ts"
export { Budget, BudgetExhausted } from "./services/Budget.ts"
export { ChatModel } from "./services/ChatModel.ts"
export { BrainInUse, BrainUnavailable, Database } from "./services/Database.ts"
export { EmbeddingModel } from "./services/EmbeddingModel.ts"
export { HostProcess } from "./services/HostProcess.ts"
export { Journal } from "./services/Journal.ts"
export { OpenAi } from "./services/OpenAi.ts"
export { LeaseHeld, LeaseLost, LeasePolicy, PageLease } from "./services/PageLease.ts"
export { PageWriter } from "./services/PageWriter.ts"
export { Prices, UnpricedModel } from "./services/Prices.ts"
export { Progress } from "./services/Progress.ts"
export { RateLimiter, RateLimitPolicy } from "./services/RateLimiter.ts"
export { RetryPolicy } from "./services/Retry.ts"
export { sweep, type Sweep } from "./programs/sweep/sweep.ts"
export { sweepLayer } from "./programs/sweep/layer.ts"
export { Usage } from "./services/Usage.ts"
export { autoWorkers, WorkerPool, type Workers } from "./services/WorkerPool.ts"
