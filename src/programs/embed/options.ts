/** What a run of `embed` can be asked for. */
import { Option } from "effect"

/** The options of a run. */
export interface EmbedOptions {
  /** One source; all that are not archived when none. */
  readonly sourceId: Option.Option<string>
  /** Pages by slug; all when none. */
  readonly slugs: Option.Option<ReadonlyArray<string>>
  /** Also chunks whose vectors are in order; a run that was stopped in the middle is gone on with. */
  readonly all: boolean
  /** At most so many chunks. */
  readonly limit: Option.Option<number>
  /** At most so many texts in a request; what the provider takes, shared out among the workers, when none. */
  readonly batchSize: Option.Option<number>
}

/** Everything that has no vector, or an old one. */
export const defaultEmbedOptions: EmbedOptions = {
  sourceId: Option.none(),
  slugs: Option.none(),
  all: false,
  limit: Option.none(),
  batchSize: Option.none()
}
