/**
 * What of a chunk is embedded: gbrain's rules, so that vectors of either program can be compared. The text itself; on a page
 * made for contextual retrieval, under the page's title. Code stands alone.
 */

/** gbrain's cap on the title, in units of UTF-16. */
const titleCharacters = 300

const halfCharacter = /[\uD800-\uDBFF]$/

/** The text that is sent for a chunk. `mode` is the page's `contextual_retrieval_mode`. */
export const embeddedText = (chunk: {
  readonly text: string
  readonly source: string
  readonly title: string
  readonly mode: string | null
}): string => {
  if (chunk.mode === null || chunk.mode === "none" || chunk.source === "fenced_code") return chunk.text
  const title = chunk.title
    .replace(/<\/context>/gi, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, titleCharacters)
    .replace(halfCharacter, "")
  return title === "" ? chunk.text : `<context>${title}\n</context>\n${chunk.text}`
}

/** gbrain's mark on a page whose chunks were all embedded by one model at one width. */
export const embeddingSignature = (model: string, dimensions: number): string => `${model}:${dimensions}`

/** The lease on all embedding of a source; gbrain's, so that neither program pays for what the other does. */
export const embeddingLease = (sourceId: string): string => `gbrain-embed-backfill:${sourceId}`
