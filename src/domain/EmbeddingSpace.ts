/** A model and the width of its vectors: vectors of two spaces cannot be compared, even where they are of one width. */
export interface EmbeddingSpace {
  /** `provider:model`. */
  readonly model: string
  readonly dimensions: number
}

/** Whether two are the same model at the same width. */
export const sameSpace = (a: EmbeddingSpace, b: EmbeddingSpace): boolean =>
  a.model === b.model && a.dimensions === b.dimensions
