/**
 * The columns that depend on the embedding model, and their indexes. pgvector indexes a `vector` of up to 2,000 and a
 * `halfvec` of up to 4,000 dimensions; a wider column goes without an index.
 */

/** What a new brain's vector columns are made for. */
export interface EmbeddingColumns {
  /** gbrain's name for the model, `provider:model`. */
  readonly model: string
  readonly dimensions: number
  /** `halfvec`, or `vector` where pgvector is older than 0.7. */
  readonly halfvec: "halfvec" | "vector"
}

/** The widest column of a type that an HNSW index can be made on. */
export const widestIndexed = (type: "halfvec" | "vector"): number => (type === "halfvec" ? 4000 : 2000)

/** The statements that create the HNSW indexes. */
export const vectorIndexes = ({ dimensions, halfvec }: EmbeddingColumns): ReadonlyArray<string> => [
  `create index idx_chunks_embedding_image on content_chunks using hnsw (embedding_image vector_cosine_ops)
    where (embedding_image is not null)`,
  ...(dimensions > widestIndexed("vector")
    ? []
    : [
        `create index idx_chunks_embedding on content_chunks using hnsw (embedding vector_cosine_ops)`,
        `create index idx_takes_embedding_hnsw on takes using hnsw (embedding vector_cosine_ops)
          where (active and (embedding is not null))`
      ]),
  ...(dimensions > widestIndexed(halfvec)
    ? []
    : [
        `create index idx_facts_embedding_hnsw on facts using hnsw (embedding ${halfvec}_cosine_ops)
          where ((embedding is not null) and (expired_at is null))`
      ])
]
