/** What `reindexMarkdown` needs, on top of an open brain. */
import { Layer } from "effect"
import { ChunkPages } from "../../services/ChunkPages.ts"
import { CodeParser } from "../../services/CodeParser.ts"
import { sweepLayer } from "../sweep/layer.ts"

/** All that `reindexMarkdown` needs, given an open brain and `HostProcess`. */
export const reindexLayer = (options: { readonly workers: number }) =>
  Layer.provideMerge(Layer.merge(ChunkPages.layer, CodeParser.layer(options)), sweepLayer(options))
