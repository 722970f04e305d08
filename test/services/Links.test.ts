/** How links are read, on both databases. What is extracted is tested in `test/programs/extract`. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Links } from "../../src/services/Links.ts"
import { onBothDatabases } from "../support/brains.ts"
import { testsOn } from "../support/testsOn.ts"

onBothDatabases("Links", (brain) => {
  const test = testsOn(brain)

  test("a brain's first run, of which the planner knows nothing yet, reads the links of its own pages only", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const links = yield* Links
      yield* sql`insert into pages (slug, type, title) select 'p/' || n, 'concept', 'P' from generate_series(1, 4000) n`
      const first = (yield* sql<{ readonly id: number }>`select min(id) as id from pages`)[0]?.id ?? 0
      const ids = Array.from({ length: 200 }, (_, at) => first + at)
      // Counted by the database within the transaction, where the counters may begin with what came before it.
      const counted = sql<{ readonly n: number }>`
        select (seq_tup_read + idx_tup_fetch)::int as n from pg_stat_xact_user_tables where relname = 'links'`.pipe(
        Effect.map(([row]) => row?.n ?? 0)
      )
      const rowsRead = Effect.gen(function* () {
        const before = yield* counted
        yield* links.madeBy(ids, { frontmatter: true })
        return (yield* counted) - before
      }).pipe(sql.withTransaction)
      for (let group = 0; group < 8; group++) {
        // 25 links of these pages each time, two hundred in all, and 475 of others.
        yield* sql`
          insert into links (from_page_id, to_page_id, link_type, link_source, context)
          select id, id + 1, 'mentions', 'markdown', '' from pages
          where id >= ${first + group * 25} and id < ${first + (group + 1) * 25}
            or id >= ${first + 200 + group * 475} and id < ${first + 200 + (group + 1) * 475} and id < ${first + 3999}`
        expect(yield* rowsRead).toBe((group + 1) * 25)
      }
    }).pipe(Effect.provide(Links.layer)))
})
