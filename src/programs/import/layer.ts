/** What an import needs, on top of an open brain. */
import { Layer } from "effect"
import { CodeParser } from "../../services/CodeParser.ts"
import { PageWriter } from "../../services/PageWriter.ts"
import { Underived } from "../../services/Underived.ts"
import { extractLayer } from "../extract/layer.ts"

/** All that `importDirectory` needs, given an open brain and `HostProcess`. */
export const importLayer = (options: { readonly workers: number }) =>
  Layer.mergeAll(PageWriter.layer, Underived.layer, CodeParser.layer(options), extractLayer(options))
