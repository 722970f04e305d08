/** Which kind of column and index a migration makes, with and without `halfvec`. */
import { describe, expect, it } from "@effect/vitest"
import { kindAt } from "../../src/services/migration/columns.ts"
import { besideStatement } from "../../src/services/migration/indexes.ts"

describe("the kind of a new column", () => {
  it("is that of the old, but where only halfvec has an index at its width, and there is a halfvec", () => {
    for (const [kind, dimensions, hasHalfvec, expected] of [
      ["vector", 1536, true, "vector"],
      ["halfvec", 1536, true, "halfvec"],
      ["vector", 2000, true, "vector"],
      ["vector", 2001, true, "halfvec"],
      ["vector", 4000, true, "halfvec"],
      // Nothing has an index there.
      ["vector", 4001, true, "vector"],
      ["halfvec", 4001, true, "halfvec"],
      // pgvector before 0.7.
      ["vector", 2500, false, "vector"],
      ["vector", 1280, false, "vector"]
    ] as const)
      expect({ kind, dimensions, hasHalfvec, is: kindAt(kind, dimensions, hasHalfvec) }).toEqual({
        kind,
        dimensions,
        hasHalfvec,
        is: expected
      })
  })
})

describe("the index of a new column", () => {
  it("is the old one, of the new column's name and kind, made while others work", () => {
    expect(
      besideStatement(
        "CREATE INDEX idx_chunks_embedding ON public.content_chunks USING hnsw (embedding vector_cosine_ops)",
        "idx_chunks_embedding_next",
        "halfvec"
      )
    ).toBe(
      "create index concurrently if not exists idx_chunks_embedding_next on public.content_chunks USING hnsw (embedding_next halfvec_cosine_ops)"
    )
    expect(
      besideStatement(
        "CREATE INDEX idx_facts_embedding_hnsw ON public.facts USING hnsw (embedding halfvec_l2_ops) WITH (m='16') WHERE ((embedding IS NOT NULL) AND (expired_at IS NULL))",
        "n",
        "vector"
      )
    ).toBe(
      "create index concurrently if not exists n on public.facts USING hnsw (embedding_next vector_l2_ops) WITH (m='16') WHERE ((embedding_next IS NOT NULL) AND (expired_at IS NULL))"
    )
  })

  it("other columns' names stay, and an index that is unique stays so", () => {
    expect(
      besideStatement("CREATE UNIQUE INDEX u ON t USING btree (embedding_image, embedded_at)", "n", "vector")
    ).toBe("create UNIQUE index concurrently if not exists n on t USING btree (embedding_image, embedded_at)")
  })
})
