/** What `reindexFrontmatter` needs, on top of an open brain. */
import { Layer } from "effect"
import { PageDates } from "../../services/PageDates.ts"
import { sweepLayer } from "../sweep/layer.ts"

/** All that `reindexFrontmatter` needs, given an open brain and `HostProcess`. */
export const reindexFrontmatterLayer = (options: { readonly workers: number }) =>
  Layer.provideMerge(PageDates.layer, sweepLayer(options))
