/** What `reindex-code` needs, on top of an open brain. */
import { Layer } from "effect"
import { CodePages } from "../../services/CodePages.ts"
import { CodeParser } from "../../services/CodeParser.ts"
import { extractLayer } from "../extract/layer.ts"

/** All that `reindexCode` needs, given an open brain and `HostProcess`. */
export const reindexCodeLayer = (options: { readonly workers: number }) =>
  Layer.mergeAll(CodePages.layer, CodeParser.layer(options), extractLayer(options))
