/** What a run of the extraction is asked to do. */
import { Duration, Option } from "effect"

/** What can be extracted. */
export const extractKinds = ["links", "timeline", "all"] as const

/** What can be extracted. */
export type ExtractKind = (typeof extractKinds)[number]

/** Options of `extract`. */
export interface ExtractOptions {
  readonly kind: ExtractKind
  /** A folder whose files are read in place of the texts in the brain. */
  readonly directory: Option.Option<string>
  readonly sourceId: Option.Option<string>
  /** Only pages of this type. */
  readonly type: Option.Option<string>
  /** Only pages written after this, in epoch milliseconds. */
  readonly since: Option.Option<number>
  /** Links of the front matter too. */
  readonly includeFrontmatter: boolean
  /** Pages that are up to date too. */
  readonly force: boolean
  /** Begin no more pages after this long. */
  readonly timeLimit: Option.Option<Duration.Duration>
  /** Say what would be written; write nothing. */
  readonly dryRun: boolean
}

/** Everything that is out of date, in all sources. */
export const defaultExtractOptions: ExtractOptions = {
  kind: "all",
  directory: Option.none(),
  sourceId: Option.none(),
  type: Option.none(),
  since: Option.none(),
  includeFrontmatter: false,
  force: false,
  timeLimit: Option.none(),
  dryRun: false
}
