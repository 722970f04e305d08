/** SQL that is shared by whoever writes chunks and whoever looks whether they are right. */
import type { SqlClient } from "effect/sql"
import { chunkRules, leftOutBy } from "../../domain/Chunks.ts"

/** Whether a page, known as `page`, is kept out of search, and so has no chunks. */
export const isLeftOut = (sql: SqlClient.SqlClient) =>
  sql.literal(
    `(${leftOutBy.map((key) => `coalesce(page.frontmatter->'${key}', 'null') <> 'null'`).join(" or ")})`
  )

/** A digest of all that the chunks of a page, known as `page`, are made of. */
export const textDigest = (sql: SqlClient.SqlClient) =>
  sql`md5(page.compiled_truth || chr(1) || page.timeline || chr(1) || ${isLeftOut(sql)}::text)`

/** How many chunks a page, known as `page`, has. */
export const chunkCount = (sql: SqlClient.SqlClient) =>
  sql`(select count(*)::int from content_chunks chunk where chunk.page_id = page.id)`

/** Notes that the chunks of these pages were cut by our present rules from the text they have. For use inside a transaction. */
export const noteChunked = (sql: SqlClient.SqlClient, pageIds: ReadonlyArray<number>) => sql`
  insert into gbrain_effect.pages_chunked (page_id, digest, rules, chunks)
  select page.id, ${textDigest(sql)}, ${chunkRules}::smallint, ${chunkCount(sql)} from pages page
  where page.id = any(${pageIds}::int[])
  on conflict (page_id) do update set digest = excluded.digest, rules = excluded.rules, chunks = excluded.chunks`
