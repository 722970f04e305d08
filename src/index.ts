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
export { BadQuestion } from "./domain/search/Question.ts"
export { bulk, type BulkOptions, type BulkReport, type ItemContext } from "./programs/bulk.ts"
export { embed } from "./programs/embed/embed.ts"
export { embedBatches, type EmbedBatchesOptions } from "./programs/embed/embedBatches.ts"
export { type Embedder, textEmbedder } from "./programs/embed/embedder.ts"
export { embedBrainLayer, embedLayer } from "./programs/embed/layer.ts"
export { defaultEmbedOptions, type EmbedOptions } from "./programs/embed/options.ts"
export { type EmbedPlan, planEmbedding } from "./programs/embed/plan.ts"
export type { EmbedReport } from "./programs/embed/report.ts"
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
export type { Job, JobStatus, Submission } from "./domain/Job.ts"
export { extractionJob } from "./programs/jobs/extractionJob.ts"
export { JobRefused } from "./programs/jobs/JobKind.ts"
export { Jobs } from "./programs/jobs/Jobs.ts"
export { submitJobs } from "./programs/jobs/submit.ts"
export { type WorkOptions, workOnJobs } from "./programs/jobs/work.ts"
export { JobStore } from "./services/JobStore.ts"
export {
  brainLayer,
  extractionLayer,
  limitsLayer,
  modelsLayer,
  runLayer
} from "./programs/extract-conversation-facts/layer.ts"
export { defaultOptions, type ExtractionOptions } from "./programs/extract-conversation-facts/options.ts"
export type { ExtractionReport } from "./programs/extract-conversation-facts/report.ts"
export { NoSuchPage } from "./programs/extract-conversation-facts/scope.ts"
export { type FactQuery, listFacts, type ListedFact } from "./programs/facts/listFacts.ts"
export { edgesOfSymbol, type ShownEdge, type SymbolEdges } from "./programs/code/callers.ts"
export { edgesBackfill, type EdgesOptions } from "./programs/edges/edgesBackfill.ts"
export { edgesLayer } from "./programs/edges/layer.ts"
export type { EdgesReport } from "./programs/edges/report.ts"
export { type Graph, graphFrom, linksOfPage, type ShownLink } from "./programs/graph/links.ts"
export { UnknownPage } from "./programs/graph/page.ts"
export { type ShownEntry, timelineOfPage } from "./programs/graph/timeline.ts"
export {
  defaultImportOptions,
  importDirectory,
  type ImportOptions,
  type ImportReport
} from "./programs/import/importDirectory.ts"
export { importLayer } from "./programs/import/layer.ts"
export { cutCodePage } from "./programs/reindex-code/group.ts"
export { reindexCodeLayer } from "./programs/reindex-code/layer.ts"
export {
  defaultReindexCodeOptions,
  reindexCode,
  type ReindexCodeOptions
} from "./programs/reindex-code/reindexCode.ts"
export type { ReindexCodeReport } from "./programs/reindex-code/report.ts"
export { finishMigration, giveUp } from "./programs/migrate-embeddings/end.ts"
export { migrationBrainLayer, migrationLayer } from "./programs/migrate-embeddings/layer.ts"
export { migrateEmbeddings, undoMigration } from "./programs/migrate-embeddings/migrateEmbeddings.ts"
export { defaultMigrationOptions, type MigrationOptions } from "./programs/migrate-embeddings/options.ts"
export {
  type MigrationPlan,
  migrationStatus,
  type MigrationStatus,
  planMigration
} from "./programs/migrate-embeddings/plan.ts"
export type { MigrationReport } from "./programs/migrate-embeddings/report.ts"
export { TargetUnfit } from "./programs/migrate-embeddings/target.ts"
export { type MultimodalPlan, planMultimodal } from "./programs/reindex-multimodal/estimate.ts"
export { multimodalBrainLayer, multimodalLayer } from "./programs/reindex-multimodal/layer.ts"
export {
  defaultMultimodalOptions,
  type ReindexMultimodalOptions
} from "./programs/reindex-multimodal/options.ts"
export { reindexMultimodal } from "./programs/reindex-multimodal/reindexMultimodal.ts"
export type { MultimodalReport } from "./programs/reindex-multimodal/report.ts"
export { queryLayer, searchLayer } from "./programs/search/layer.ts"
export { defaultSearch, type SearchOptions } from "./programs/search/options.ts"
export { type Hit, SearchReport } from "./programs/search/report.ts"
export { query, search } from "./programs/search/search.ts"
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
export { CodePages } from "./services/CodePages.ts"
export { CodeParser, CodeUnreadable, ParserPolicy } from "./services/CodeParser.ts"
export { BrainInUse, BrainUnavailable, Database } from "./services/Database.ts"
export { EmbeddingModel } from "./services/EmbeddingModel.ts"
export { EmbeddingMigrations, type EmbeddingSpace } from "./services/EmbeddingMigrations.ts"
export { HostProcess } from "./services/HostProcess.ts"
export { Journal } from "./services/Journal.ts"
export { MultimodalChunks } from "./services/MultimodalChunks.ts"
export { MultimodalModel } from "./services/MultimodalModel.ts"
export { OpenAi } from "./services/OpenAi.ts"
export { LeaseHeld, LeaseLost, LeasePolicy, PageLease } from "./services/PageLease.ts"
export { PageWriter } from "./services/PageWriter.ts"
export { Prices, UnpricedModel } from "./services/Prices.ts"
export { Progress } from "./services/Progress.ts"
export { RateLimiter, RateLimitPolicy } from "./services/RateLimiter.ts"
export { QuestionPatience, QuestionVector } from "./services/QuestionVector.ts"
export { RetryPolicy } from "./services/Retry.ts"
export { Search, type SearchScope } from "./services/Search.ts"
export { VectorSearchPolicy } from "./services/search/VectorIndex.ts"
export { sweep, type Sweep } from "./programs/sweep/sweep.ts"
export { sweepLayer } from "./programs/sweep/layer.ts"
export { Usage } from "./services/Usage.ts"
export { autoWorkers, WorkerPool, type Workers } from "./services/WorkerPool.ts"
