/** What was learnt from a page stays when its text, or its transcript, is not what it was; and the report names such pages. */
import { expect } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { planText, reportText } from "../../../src/cli/render/extraction.ts"
import { conversationBacklog } from "../../../src/programs/extract-conversation-facts/backlog.ts"
import { planExtraction } from "../../../src/programs/extract-conversation-facts/dryRun.ts"
import { brainLayer } from "../../../src/programs/extract-conversation-facts/layer.ts"
import { defaultOptions } from "../../../src/programs/extract-conversation-facts/options.ts"
import { Brain } from "../../../src/services/Brain.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, factsOf, marksOf, putPages, standIn } from "../../support/extraction.ts"
import { testsOn } from "../../support/testsOn.ts"

/** A folder of the brain with a transcript in it. */
const transcriptFolder = Effect.fnUntraced(function* (text: string) {
  const fs = yield* FileSystem.FileSystem
  const sql = yield* SqlClient.SqlClient
  const folder = yield* fs.makeTempDirectoryScoped()
  yield* fs.writeFileString(`${folder}/raw.txt`, text)
  yield* sql`update sources set local_path = ${folder} where id = 'default'`
  return `${folder}/raw.txt`
})

const call = (body: string) => ({
  slug: "meetings/call",
  type: "meeting",
  body,
  frontmatter: { raw_transcript: "raw.txt" }
})

const plan = planExtraction(defaultOptions, "openai:gpt-4.1-mini").pipe(
  Effect.provide(brainLayer.pipe(Layer.provideMerge(Brain.layerLooking)))
)

const saidNowhere = "We met and agreed on three things.\n\nIt was good."

onBothDatabases("what was learnt is kept", (brain) => {
  const test = testsOn(brain)

  test("a transcript that was moved away fails its page, which is taken again when the file is back", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const api = yield* standIn()
      const file = yield* transcriptFolder(conversation("lease", 3))
      yield* putPages([call("A summary.")])
      yield* extract(api.url)
      const [facts, marks] = [yield* factsOf("meetings/call"), yield* marksOf("meetings/call")]
      expect(facts).toHaveLength(3)
      yield* fs.rename(file, `${file}.away`)
      const failsWith = Effect.fnUntraced(function* (options: { readonly force?: boolean }) {
        const report = yield* extract(api.url, options)
        expect(report).toMatchObject({ status: "failed", pages_failed: 1, pages_marked_non_extractable: 0 })
        expect(report.failures).toEqual([
          {
            item: "meetings/call",
            reason: expect.stringContaining(`raw.txt cannot be read here: ${file}: not found`)
          }
        ])
        expect(reportText(report)).toContain(
          `failed: meetings/call: the transcript raw.txt cannot be read here`
        )
        expect(yield* factsOf("meetings/call")).toEqual(facts)
        expect(yield* marksOf("meetings/call")).toEqual(marks)
      })
      yield* failsWith({})
      expect(yield* plan).toMatchObject({
        pages_unrecognised: 0,
        pages_transcript_unreadable: 1,
        questions: 0
      })
      expect(planText(yield* plan)).toContain("meetings/call: the transcript raw.txt cannot be read here")
      yield* fs.rename(`${file}.away`, file)
      expect(yield* extract(api.url)).toMatchObject({
        pages_skipped_completed: 1,
        pages_failed: 0,
        chat_calls: 0
      })
      yield* fs.rename(file, `${file}.away`)
      yield* failsWith({ force: true })
    }))

  test("an empty transcript, a folder that is not here, and a source without one fail the page, too", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const file = yield* transcriptFolder(conversation("lease", 2))
      yield* putPages([call("A summary.")])
      yield* extract(api.url)
      const why = Effect.map(extract(api.url), ({ failures }) => failures[0]?.reason)
      yield* fs.writeFileString(file, "\n")
      expect(yield* why).toContain("it is empty")
      yield* sql`update sources set local_path = '/nowhere/at/all' where id = 'default'`
      expect(yield* why).toContain("/nowhere/at/all: not found")
      yield* sql`update sources set local_path = null where id = 'default'`
      expect(yield* why).toContain("no folder")
      expect(yield* factsOf("meetings/call")).toHaveLength(2)
    }))

  test("a page's own conversation stands in for a transcript only until the page is finished", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const api = yield* standIn()
      const file = yield* transcriptFolder(conversation("whole", 4))
      yield* fs.rename(file, `${file}.away`)
      yield* putPages([call(conversation("extract", 2))])
      const first = yield* extract(api.url)
      expect(first).toMatchObject({ pages_processed: 1, pages_failed: 0, facts_inserted: 2 })
      expect(first.warnings).toEqual([
        {
          item: "meetings/call",
          reason: expect.stringContaining("the page's own text was taken in its place")
        }
      ])
      expect(yield* extract(api.url)).toMatchObject({ pages_skipped_completed: 1, pages_failed: 0 })
      expect(yield* extract(api.url, { force: true })).toMatchObject({ pages_processed: 1, pages_failed: 0 })
      yield* fs.rename(`${file}.away`, file)
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 1, facts_inserted: 4 })
      yield* fs.remove(file)
      expect(yield* extract(api.url)).toMatchObject({ pages_failed: 1, chat_calls: 0 })
      expect((yield* factsOf("meetings/call")).every(({ fact }) => fact.includes("the whole contract"))).toBe(
        true
      )
    }))

  test("a mark that says not applicable is not believed while the transcript cannot be read", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* putPages([{ ...call("A summary."), frontmatter: {} }])
      yield* extract(api.url)
      // The mark of the page's own text, as earlier versions set it.
      const file = yield* transcriptFolder("A summary.")
      yield* putPages([call("A summary.")])
      yield* extract(api.url)
      expect((yield* marksOf("meetings/call")).map(({ fact }) => fact)).toEqual(["EXTRACTION_NOT_APPLICABLE"])
      yield* (yield* FileSystem.FileSystem).remove(file)
      expect(yield* extract(api.url)).toMatchObject({ pages_failed: 1, pages_skipped_non_extractable: 0 })
      expect(yield* conversationBacklog().pipe(Effect.provide(brainLayer))).toMatchObject({
        toDo: 1,
        notApplicable: 0
      })
      expect(yield* sql`select 1 from facts where source = 'cli:extract-conversation-facts'`).toEqual([])
    }))

  test("a finished page that is no conversation any more is set aside, named, and not read again", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 3) }])
      yield* extract(api.url)
      const [facts, marks] = [yield* factsOf("chats/one"), yield* marksOf("chats/one")]
      yield* putPages([{ slug: "chats/one", body: saidNowhere }])
      const report = yield* extract(api.url)
      expect(report).toMatchObject({
        status: "completed",
        pages_skipped_set_aside: 1,
        pages_marked_non_extractable: 0,
        orphan_facts_cleaned: 0
      })
      expect(report.warnings).toEqual([
        {
          item: "chats/one",
          reason:
            "no longer a conversation: the text is in no known transcript format; facts of its earlier text are kept"
        }
      ])
      expect(yield* factsOf("chats/one")).toEqual(facts)
      expect(yield* marksOf("chats/one")).toEqual(marks)
      const again = yield* extract(api.url)
      expect(again).toMatchObject({ pages_skipped_set_aside: 1, warnings: [] })
      // When it is one again, it is read.
      yield* putPages([{ slug: "chats/one", body: conversation("boat", 2) }])
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 1, facts_inserted: 2 })
    }))

  test("a page that was only begun keeps its facts as well", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2, 3) }])
      yield* extract(api.url, { segmentLimit: Option.some(1) })
      const facts = yield* factsOf("chats/one")
      expect(facts).toHaveLength(2)
      yield* putPages([{ slug: "chats/one", body: saidNowhere }])
      expect(yield* extract(api.url)).toMatchObject({ pages_marked_non_extractable: 1 })
      expect(yield* factsOf("chats/one")).toEqual(facts)
      expect(yield* marksOf("chats/one")).toHaveLength(1)
    }))
})

onBothDatabases("the report names", (brain) => {
  const test = testsOn(brain)

  test("the pages that it marked not applicable, and why", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const slugs = Array.from({ length: 12 }, (_, index) => `meetings/${index}`)
      yield* putPages([
        ...slugs.map((slug) => ({ slug, type: "meeting", body: saidNowhere })),
        { slug: "meetings/empty", type: "meeting", body: " " }
      ])
      const report = yield* extract(api.url)
      expect(report.pages_marked_non_extractable).toBe(13)
      expect(report.unrecognised.map(({ item }) => item).sort()).toEqual([...slugs, "meetings/empty"].sort())
      expect(report.unrecognised).toContainEqual({ item: "meetings/empty", reason: "the page has no text" })
      const lines = reportText(report).split("\n")
      expect(lines.filter((line) => line.startsWith("  not applicable: meetings/"))).toHaveLength(10)
      expect(lines).toContain("  … and 3 more (--json names them)")
      // What was marked before is no news.
      expect((yield* extract(api.url)).unrecognised).toEqual([])
    }))

  test("what of an answer was left out: beyond ten, and what was no fact", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
      yield* extract(api.url)
      // The answer that was paid for, with more in it.
      const facts = Array.from({ length: 12 }, (_, n) => ({
        fact: `Ana moved to town ${n}.`,
        kind: "event",
        messages: [1]
      }))
      yield* sql`update gbrain_effect.journal_answers set answer = ${JSON.stringify({ facts: ["no fact", ...facts] })}`
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2), frontmatter: { seen: true } }])
      yield* sql`update pages set content_hash = 'another' where slug = 'chats/one'`
      const report = yield* extract(api.url)
      expect(report).toMatchObject({ facts_extracted: 10, facts_surplus: 2, facts_invalid: 1 })
      expect(reportText(report)).toMatch(/could not be read +1\n +beyond 10 of a segment +2\n/)
    }))
})
