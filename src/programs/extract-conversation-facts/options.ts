/** What a run of the extraction can be asked for. */
import { Option } from "effect"
import type { ConversationType } from "../../domain/ConversationPages.ts"

/** The options of a run. */
export interface ExtractionOptions {
  /** One source; all that are not archived when none. */
  readonly sourceId: Option.Option<string>
  /** These types of pages; the brain's `cycle.conversation_facts_backfill.types`, or all, when none. */
  readonly types: Option.Option<ReadonlyArray<ConversationType>>
  /** One page. */
  readonly slug: Option.Option<string>
  /** Ask only about segments that end after this instant (epoch milliseconds). Earlier facts stay. */
  readonly since: Option.Option<number>
  /** At most so many pages that need work, over all sources. */
  readonly limit: Option.Option<number>
  /** At most so many questions a page; the next run goes on where this one stopped. */
  readonly segmentLimit: Option.Option<number>
  /** Take finished pages again, and ask again what was answered. */
  readonly force: boolean
  /** Run although the brain's switch `facts.extraction_enabled` is off. */
  readonly overrideDisabled: boolean
}

/** Everything, once. */
export const defaultOptions: ExtractionOptions = {
  sourceId: Option.none(),
  types: Option.none(),
  slug: Option.none(),
  since: Option.none(),
  limit: Option.none(),
  segmentLimit: Option.none(),
  force: false,
  overrideDisabled: false
}
