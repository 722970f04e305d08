/** What `edgesBackfill` needs, on top of an open brain. */
import { Layer } from "effect"
import { CodeEdges } from "../../services/CodeEdges.ts"
import { sweepLayer } from "../sweep/layer.ts"

/** All that `edgesBackfill` needs, given an open brain and `HostProcess`. */
export const edgesLayer = (options: { readonly workers: number }) =>
  Layer.provideMerge(CodeEdges.layer, sweepLayer(options))
