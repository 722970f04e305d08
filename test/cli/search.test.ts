/** Searching from the command line, as a person and as a program, on both databases. */
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { Schema } from "effect"
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { SearchReport } from "../../src/programs/search/report.ts"
import { type CliHome, cliHome } from "../support/cli.ts"

const files: Readonly<Record<string, string>> = {
  "people/tomas-lindqvist.md": "---\ntype: person\ntitle: Tomás Lindqvist\n---\nDesigns the hydrophones.",
  "meetings/board.md":
    "---\ntype: meeting\ntitle: Board meeting\ndate: 2025-01-20\n---\nThe seed round was closed in the boat house.",
  "notes/sea.md": "---\ntype: note\ntitle: 北海\n---\n我认为这是北海最好的录音。",
  "notes/escape.md": "---\ntype: note\ntitle: Escape\n---\nA kittiwake \u001b[31mred\u001b[0m cried."
}

const suite = (name: string, brain: () => Promise<ReadonlyArray<string>>, drop: () => Promise<void>) =>
  describe(name, () => {
    let home: CliHome
    let place: ReadonlyArray<string> = []
    const run = (...args: ReadonlyArray<string>) => home.run([...args, ...place])
    const report = async (...args: ReadonlyArray<string>) => {
      const result = await run(...args, "--json")
      expect(result).toMatchObject({ code: 0 })
      return Schema.decodeUnknownSync(SearchReport)(JSON.parse(result.stdout))
    }
    beforeAll(async () => {
      home = await cliHome()
      place = await brain()
      const folder = join(home.directory, "notes")
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await writeFile(join(folder, path), text)
      }
      await home.run(["init", ...place])
      expect(await run("import", folder)).toMatchObject({ code: 0 })
    })
    afterAll(async () => {
      await home.remove()
      await drop()
    })

    it("search shows where it was found, when, and in which words", async () => {
      const shown = await run("search", "seed", "rounds")
      expect(shown).toMatchObject({ code: 0, stderr: "" })
      expect(shown.stdout).toBe(
        "1. Board meeting · meetings/board · meeting · 2025-01-20\n   The seed round was closed in the boat house.\n"
      )
      const found = await report("search", "tomas lindqvist", "--type", "person,company", "--limit", "3")
      expect(found.hits).toEqual([
        expect.objectContaining({ kind: "page", slug: "people/tomas-lindqvist", found_by: ["name"] })
      ])
      expect((await run("search", "录音")).stdout).toContain("北海 · notes/sea")
      expect((await run("search", "kittiwake")).stdout).not.toContain("\u001b")
    })

    it("query keeps to a source and to types of pages", async () => {
      const slugs = async (...args: ReadonlyArray<string>) =>
        (await report("query", "seed round hydrophones", ...args)).hits.map((hit) => hit.slug)
      expect(new Set(await slugs())).toEqual(new Set(["meetings/board", "people/tomas-lindqvist"]))
      expect(await slugs("--type", "meeting")).toEqual(["meetings/board"])
      expect(await slugs("--type", "note")).toEqual([])
      expect(await slugs("--source", "default", "--limit", "1")).toHaveLength(1)
      const unknown = await run("query", "seed", "--source", "nowhere")
      expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('no source "nowhere"') })
    })

    it("query answers by words without a key, and says so on standard error", async () => {
      const asked = await run("query", "Who closed the seed round?")
      expect(asked).toMatchObject({ code: 0, stderr: expect.stringContaining("Answered by words alone") })
      expect(asked.stdout).toContain("1. Board meeting")
      expect(await report("query", "seed round")).toMatchObject({
        command: "query",
        method: "keyword",
        fallback: expect.stringContaining("gbrain embed"),
        spent_usd: 0
      })
    })

    const says = async (code: number, words: string, ...args: ReadonlyArray<string>) => {
      const result = await run(...args)
      expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(words) })
      expect(result.stderr.trim().split("\n").length).toBeLessThanOrEqual(2)
    }

    it("what cannot be looked for is one sentence and exit 2", async () => {
      await says(2, "Say what to look for", "search")
      await says(2, "Say what to look for", "query", "?!")
      await says(2, "Ask with fewer words", "query", "word ".repeat(20_000))
      await says(2, "--max-cost-usd takes an amount", "query", "seed", "--max-cost-usd", "free")
    })

    it("an unknown source is exit 2; nothing found is said, and exit 0", async () => {
      await says(2, 'There is no source "nowhere"', "search", "seed", "--source", "nowhere")
      await says(0, "Nothing was found on pages of type ferry", "search", "seed", "--type", "ferry")
      await says(0, "Nothing was found", "search", "zzyzx")
      expect((await run("search", "'; drop table pages; --")).code).toBe(0)
      expect((await report("search", "who is the")).notes[0]).toContain("are in every text")
      expect((await run("search", '"seed round')).stdout).toContain("Board meeting")
    })

    it("help shows examples of both", async () => {
      for (const command of ["search", "query"]) {
        const help = await home.run([command, "--help"])
        expect(help.stdout).toContain(`gbrain ${command} `)
        expect(help.stdout).toContain("--source")
      }
    })
  })

suite(
  "search from the command line (PGlite)",
  async () => [],
  async () => {}
)

const reason = inject("noPostgres")
const name = `test_cli_search_${process.pid}`
const admin = (statement: string) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(PgClient.make({ url: Redacted.make(inject("postgresUrl")), maxConnections: 1 }), (sql) =>
        sql.unsafe(statement)
      )
    ).pipe(Effect.provide(Reactivity.layer))
  )
describe.skipIf(reason !== "")(`on a server${reason === "" ? "" : `: NOT RUN, ${reason}`}`, () => {
  suite(
    "search from the command line (Postgres)",
    async () => {
      await admin(`create database ${name}`)
      const url = new URL(inject("postgresUrl"))
      url.pathname = `/${name}`
      return ["--url", url.href]
    },
    async () => {
      await admin(`drop database if exists ${name} with (force)`)
    }
  )
})
