/** What an import needs, on top of an open brain. */
import { Layer } from "effect"
import { PageWriter } from "../../services/PageWriter.ts"
import { extractBrainLayer } from "../extract/layer.ts"

/** All that `importDirectory` needs, given an open brain. */
export const importLayer = Layer.mergeAll(PageWriter.layer, extractBrainLayer)
