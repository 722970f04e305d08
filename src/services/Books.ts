/** gbrain's books of what was extracted: a receipt is a page of its own type, the rollup a row a day. */
import { Context, Effect, Layer, type Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as Money from "../domain/Money.ts"
import { sha256Hex } from "./Sha256.ts"

/** The type of a receipt's page. Never extracted from, and never an entity. */
const receiptType = "extract_receipt"

/** A receipt, as a page. */
export interface Receipt {
  readonly sourceId: string
  readonly slug: string
  readonly title: string
  readonly body: string
  /** Beside its type. */
  readonly frontmatter: Readonly<Record<string, Schema.Json>>
}

/** Receipts and rollups. */
export class Books extends Context.Service<
  Books,
  {
    /** Adds a run to today's row of a kind of extraction. */
    readonly addToRollup: (run: {
      readonly kind: string
      readonly sourceId: string
      readonly spent: Money.Money
      readonly completed: boolean
    }) => Effect.Effect<void, SqlError.SqlError>
    /** Writes a receipt; one that is there stays as it is. */
    readonly writeReceipt: (receipt: Receipt) => Effect.Effect<void, SqlError.SqlError>
  }
>()("gbrain/Books") {
  /** The books of the open brain. */
  static readonly layer = Layer.effect(
    Books,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      return Books.of({
        addToRollup: ({ completed, kind, sourceId, spent }) =>
          Effect.asVoid(sql`
            insert into extract_rollup_7d as rollup (kind, source_id, day, cost_usd, halt_count, round_completed_count)
            values (${kind}, ${sourceId}, (now() at time zone 'UTC')::date, ${Money.toDecimal(spent, 12)}::real,
              ${completed ? 0 : 1}, ${completed ? 1 : 0})
            on conflict (kind, source_id, day) do update set cost_usd = rollup.cost_usd + excluded.cost_usd,
              halt_count = rollup.halt_count + excluded.halt_count,
              round_completed_count = rollup.round_completed_count + excluded.round_completed_count,
              updated_at = now()`),
        writeReceipt: ({ body, frontmatter, slug, sourceId, title }) =>
          Effect.asVoid(sql`
            insert into pages (source_id, slug, type, title, compiled_truth, timeline, frontmatter, content_hash)
            values (${sourceId}, ${slug}, ${receiptType}, ${title}, ${body}, '',
              ${JSON.stringify({ type: receiptType, ...frontmatter })}::jsonb, ${sha256Hex(body)})
            on conflict (source_id, slug) do nothing`)
      })
    })
  )
}
