/** When a fact became known: by the messages that it cites, by the page's date, or not at all. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, factsOf, putPages, standIn } from "../../support/extraction.ts"
import { testsOn } from "../../support/testsOn.ts"

onBothDatabases("the time of a fact", (brain) => {
  const test = testsOn(brain)

  test("is that of the earliest message it cites, in whatever order the model lists them", () =>
    Effect.gen(function* () {
      const fact = (text: string, messages: ReadonlyArray<number>) => ({
        fact: text,
        kind: "event",
        entity: null,
        confidence: 1,
        notability: "high",
        metric: null,
        value: null,
        unit: null,
        period: null,
        messages
      })
      const content = JSON.stringify({ facts: [fact("It was signed.", [5, 2]), fact("It was paid.", [3])] })
      const api = yield* standIn({ rules: [{ endpoint: "chat", fault: { kind: "content", content } }] })
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 6) }])
      yield* extract(api.url)
      expect((yield* factsOf("chats/one")).map((row) => [row.fact, row.valid_from.toISOString()])).toEqual([
        ["It was signed.", "2025-02-03T08:01:00.000Z"],
        ["It was paid.", "2025-02-03T08:02:00.000Z"]
      ])
    }))

  test("is on the front matter's date, where that is one, else on the page's own; a wrong one hides nothing", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const dates = {
        good: "2025-03-01",
        long: "2025-03-02T10:00:00.000Z",
        words: "Feb 14, 2025",
        never: "2025-02-30"
      }
      yield* putPages(
        Object.entries(dates).map(([name, date]) => ({
          slug: `chats/${name}`,
          body: "**[18:37] Dana Reyes:** I sold the boat.\n**[18:39] Omar Haddad:** I bought the train.",
          frontmatter: { date },
          effectiveDate: "2025-04-05T00:00:00Z"
        }))
      )
      yield* extract(api.url)
      const rows = yield* sql<{ slug: string; day: string }>`
        select source_markdown_slug as slug, to_char(min(valid_from) at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as day from facts
        where source = 'cli:extract-conversation-facts' group by 1 order by 1`
      expect(rows).toEqual([
        { slug: "chats/good", day: "2025-03-01 18:37" },
        { slug: "chats/long", day: "2025-03-02 18:37" },
        { slug: "chats/never", day: "2025-04-05 18:37" },
        { slug: "chats/words", day: "2025-04-05 18:37" }
      ])
    }))
})
