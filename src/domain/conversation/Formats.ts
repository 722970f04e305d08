/** All transcript formats that are recognised line by line, in the order in which they are preferred. */
import type { Format } from "./Format.ts"
import { headedFormats } from "./formats/headed.ts"
import { labelledFormats } from "./formats/labelled.ts"
import { stampedFormats } from "./formats/stamped.ts"

/** Every format. */
export const formats: ReadonlyArray<Format> = [...stampedFormats, ...headedFormats, ...labelledFormats]
