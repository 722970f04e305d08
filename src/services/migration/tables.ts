/**
 * What an embedding migration changes: gbrain's columns whose vectors are made by the configured embedding model, and the
 * columns beside them that say of which model, text and time a vector is. See decision 018.
 */
import { markSources } from "../../domain/ConversationPages.ts"

/** A table with vectors of the configured model. */
export type MigratedTable = "content_chunks" | "facts" | "takes"

/** What is known of such a table. Everything here is a literal that goes into statements. */
export interface TableSpec {
  readonly table: MigratedTable
  /** The column whose text is embedded. */
  readonly text: string
  /** Whether a text is embedded under its page's title where the page was made for that; see `embeddedText`. */
  readonly underTitle: boolean
  /** Joins the page, as `page`, of a table, as `t`, whose rows belong to one. */
  readonly join: string
  /** Rows that should have a vector even if they have none now. */
  readonly wanted: string
  /** Columns that go with the vector, and the value of each when a vector is written. */
  readonly companions: ReadonlyArray<Companion>
  /** gbrain's index for nearest neighbours. */
  readonly index: { readonly name: string; readonly where: string }
}

/** A column that is exchanged together with the vector. */
export interface Companion {
  readonly column: string
  readonly type: string
  /** Of the row `t` whose vector is written; `made.hash` is the hash of its text. */
  readonly value: string
  /** What a row has that was not embedded yet: none, or the model migrated to, which costs no rewriting. */
  readonly initial: "null" | "model"
}

const embeddedAt: Companion = {
  column: "embedded_at",
  type: "timestamptz",
  value: "now()",
  initial: "null"
}

/** The tables, the one that searches go to first. */
export const tableSpecs: ReadonlyArray<TableSpec> = [
  {
    table: "content_chunks",
    text: "chunk_text",
    underTitle: true,
    join: "join pages page on page.id = t.page_id",
    wanted: `t.modality = 'text' and page.deleted_at is null and not (page.frontmatter ? 'embed_skip')`,
    companions: [
      { column: "model", type: "text", value: "model", initial: "model" },
      embeddedAt,
      { column: "embedded_text_hash", type: "text", value: "made.hash", initial: "null" }
    ],
    index: { name: "idx_chunks_embedding", where: "" }
  },
  {
    table: "facts",
    text: "fact",
    underTitle: false,
    join: "",
    wanted: `t.expired_at is null and t.source not in (${markSources.map((source) => `'${source}'`).join(", ")})`,
    companions: [embeddedAt],
    index: {
      name: "idx_facts_embedding_hnsw",
      where: "where ((embedding is not null) and (expired_at is null))"
    }
  },
  {
    // gbrain searches by these vectors where there are some, and makes none itself.
    table: "takes",
    text: "claim",
    underTitle: false,
    join: "",
    wanted: "false",
    companions: [embeddedAt],
    index: { name: "idx_takes_embedding_hnsw", where: "where (active and (embedding is not null))" }
  }
]

/** The column of a page that names the model and width its chunks' vectors are of. */
export const signatureColumn = "embedding_signature"

/** Where a column is kept while it is not the one that is read. */
export type Beside = "next" | "previous"

/** The name of a column, index or trigger beside the one that is read. */
export const besideName = (name: string, beside: Beside): string => `${name}_${beside}`
