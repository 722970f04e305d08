/** What a run of `reindex --multimodal` can be asked for. */
import { Option } from "effect"
import type { Modality } from "../../services/MultimodalChunks.ts"

/** The options of a run. */
export interface ReindexMultimodalOptions {
  /** One source; all that are not archived when none. */
  readonly sourceId: Option.Option<string>
  /** At most so many images, pages of PDFs and texts. */
  readonly limit: Option.Option<number>
  /** Only images, or only texts; both when none. */
  readonly only: Option.Option<Modality>
  /** Take what has a vector already, too. */
  readonly force: boolean
}

/** Everything that has no vector of what it is now. */
export const defaultMultimodalOptions: ReindexMultimodalOptions = {
  sourceId: Option.none(),
  limit: Option.none(),
  only: Option.none(),
  force: false
}
