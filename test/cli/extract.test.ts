/** Links and timelines from the command line, on the example. */
import { appendFile, cp, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"

const example = fileURLToPath(new URL("../../examples/brain", import.meta.url))

describe("extract from the command line", () => {
  let home: CliHome
  let notes: string
  const json = async (...args: ReadonlyArray<string>) => {
    const result = await home.run([...args, "--json"])
    expect(result).toMatchObject({ code: 0 })
    return JSON.parse(result.stdout)
  }
  beforeAll(async () => {
    home = await cliHome()
    notes = join(home.directory, "notes")
    await cp(example, notes, { recursive: true })
    await home.run(["init"])
  })
  afterAll(() => home.remove())

  it("an import leaves links and timeline fresh; the brain can be set to leave them to extract", async () => {
    await home.run(["config", "set", "auto_link", "off"])
    await home.run(["config", "set", "auto_timeline", "off"])
    expect(await json("import", notes)).toMatchObject({ created: 78, links: 0, timeline_entries: 0 })
    expect(await json("extract", "all", "--dry-run")).toMatchObject({
      dry_run: true,
      pages_processed: 78,
      links: { created: 58 },
      timeline: { created: 8 }
    })
    expect(await json("links", "companies/tidewell")).toEqual([])
    await home.run(["config", "unset", "auto_link"])
    await home.run(["config", "unset", "auto_timeline"])
    await appendFile(join(notes, "companies/tidewell.md"), "\n- **2025-04-01** | Minutes — Moved to Bergen\n")
    expect(await json("import", notes)).toMatchObject({ updated: 1, links: 5, timeline_entries: 4 })
    expect((await json("timeline", "companies/tidewell"))[0]).toEqual({
      date: "2025-04-01",
      source: "Minutes",
      summary: "Moved to Bergen",
      detail: ""
    })
  })

  it("extracts what is out of date, with several workers, and then nothing", async () => {
    const first = await json("extract", "all", "--workers", "4")
    expect(first).toMatchObject({
      command: "extract",
      kind: "all",
      status: "completed",
      from: "db",
      workers: 4,
      pages_considered: 78,
      pages_up_to_date: 1,
      pages_processed: 77,
      links: { found: 53, created: 53 },
      failures: []
    })
    expect(await json("extract", "all")).toMatchObject({ pages_up_to_date: 78, pages_processed: 0 })
    expect((await home.run(["extract", "--stale"])).stdout).toContain("Nothing to do: 78 pages up to date.")
    expect(await json("extract", "all", "--force")).toMatchObject({
      pages_processed: 78,
      links: { found: 58, created: 0, updated: 0, removed: 0 },
      timeline: { found: 9, created: 0, updated: 0, removed: 0 }
    })
    const status = await json("status")
    expect(status.runs[0]).toMatchObject({ command: "extract all", status: "completed" })
  })

  it("shows links, what links back, what can be reached, and what happened", async () => {
    const links = await json("links", "companies/tidewell")
    expect(links).toContainEqual(
      // As gbrain calls it: "funded", in small letters, comes before "Founded".
      expect.objectContaining({ slug: "people/noor-halloran", type: "invested_in", link_source: "markdown" })
    )
    expect(await json("backlinks", "companies/kelpline-ventures")).toContainEqual(
      expect.objectContaining({ slug: "companies/tidewell", type: "invested_in" })
    )
    const graph = await json("graph", "companies/tidewell", "--depth", "2")
    expect(Math.max(...graph.nodes.map((node: { depth: number }) => node.depth))).toBe(2)
    expect(graph.nodes.filter((node: { slug: string }) => node.slug === "companies/tidewell")).toHaveLength(1)
    expect((await home.run(["graph", "people/tomas-lindqvist", "--depth", "1"])).stdout).toContain(
      "\n  founded: people/noor-halloran (Noor Halloran)\n"
    )
    expect((await home.run(["links", "companies/tidewell"])).stdout).toContain("people/noor-halloran")
    expect((await home.run(["timeline", "companies/tidewell"])).stdout).toContain("Seed round closed")
    const none = await home.run(["backlinks", "conversations/2025-03-orders"])
    expect(none).toMatchObject({ code: 0, stdout: "" })
    expect(none.stderr).toContain("is linked by nothing that is known")
  })

  it("a page that is not there: exit 2, and which it may be", async () => {
    for (const command of ["links", "backlinks", "graph", "timeline"]) {
      const result = await home.run([command, "tidewell"])
      expect(result).toMatchObject({ code: 2, stdout: "" })
      expect(result.stderr).toContain("There is no page tidewell. Did you mean companies/tidewell?")
    }
    expect((await home.run(["extract", "all", "--source-id", "gone"])).stderr).toContain('no source "gone"')
  })

  it("files that are edited and not imported: --dir, or the source's own folder", async () => {
    await appendFile(
      join(notes, "people/ewa-nowak.md"),
      "\nAdvises [Hafenwerk](../companies/hafenwerk.md).\n"
    )
    await writeFile(join(notes, "people/new.md"), "[[companies/tidewell]]")
    await writeFile(join(notes, "people/broken.md"), Buffer.from([0xff, 0xfe, 0]))
    const run = await home.run(["extract", "links", "--source", "fs", "--json"])
    expect(run.code).toBe(1)
    const report = JSON.parse(run.stdout)
    expect(report).toMatchObject({
      from: "fs",
      status: "failed",
      pages_processed: 78,
      pages_failed: 1,
      files_without_page: 1,
      links: { found: 59 }
    })
    expect(report.failures[0].item).toBe("people/broken.md")
    expect(await json("links", "people/ewa-nowak")).toContainEqual(
      expect.objectContaining({ slug: "companies/hafenwerk", type: "advises" })
    )
    const nowhere = await home.run(["extract", "all", "--dir", join(home.directory, "nowhere")])
    expect(nowhere).toMatchObject({ code: 1, stdout: "" })
    expect(nowhere.stderr).toContain("is no folder")
    await home.run(["sources", "add", "work"])
    const homeless = await home.run(["extract", "all", "--source", "fs", "--source-id", "work"])
    expect(homeless).toMatchObject({ code: 2, stdout: "" })
    expect(homeless.stderr).toContain("--dir")
  })

  it("the front matter, when asked for; who is meant by it and has no page is named", async () => {
    const folder = join(home.directory, "more")
    await mkdir(join(folder, "meetings"), { recursive: true })
    await writeFile(
      join(folder, "meetings/kick-off.md"),
      "---\ntype: meeting\nattendees: [Noor Halloran, '[[people/wei-chen]]', Nobody At All]\n---\nWe met."
    )
    await home.run(["import", folder])
    const report = await json("extract", "links", "--include-frontmatter", "--type", "meeting")
    expect(report.names_unresolved).toEqual([{ name: "attendees: Nobody At All", times: 1 }])
    const back = await json("backlinks", "meetings/kick-off")
    expect(back.map((link: { slug: string; type: string }) => `${link.slug} ${link.type}`)).toEqual([
      "people/noor-halloran attended",
      "people/wei-chen attended"
    ])
  })
})

describe("extract --stale from the command line", () => {
  // Loaded before the command: each look at the clock is an hour after the one before.
  const hastyClock = `const now = Date.now; let hours = 0; Date.now = () => now() + 3_600_000 * hours++`
  const pages = 6
  let home: CliHome
  let notes: string
  const ran = async (...args: ReadonlyArray<string>) => {
    const result = await home.run(args)
    expect(result).toMatchObject({ code: 0 })
    return result.stdout
  }
  const json = async (...args: ReadonlyArray<string>) => JSON.parse(await ran(...args, "--json"))
  const write = (name: string, text: string) => writeFile(join(notes, `${name}.md`), text)
  /** With a clock that says at its second look that the half hour is over. */
  const hurried = async (...args: ReadonlyArray<string>) => {
    const clock = join(home.directory, "hasty-clock.mjs")
    await writeFile(clock, hastyClock)
    return home.run(["extract", "--stale", ...args], {}, { nodeOptions: ["--import", clock] })
  }
  beforeAll(async () => {
    home = await cliHome()
    notes = join(home.directory, "notes")
    await mkdir(notes)
    await ran("init")
    // Imports leave what is derived to extract.
    await ran("config", "set", "auto_link", "off")
    await ran("config", "set", "auto_timeline", "off")
    for (let page = 0; page < pages; page++) {
      await write(
        `n${page}`,
        `See [[n${(page + 1) % pages}]].\n\n- **2025-01-0${page + 1}** | Log — Day ${page}\n`
      )
    }
    await ran("import", notes)
  })
  afterAll(() => home.remove())

  it("begins nothing after half an hour, says what is left, and that is no failure", async () => {
    const told = await hurried("--json")
    expect(told).toMatchObject({ code: 0 })
    expect(JSON.parse(told.stdout)).toMatchObject({
      command: "extract",
      kind: "all",
      status: "incomplete",
      pages_considered: pages,
      pages_up_to_date: 0,
      pages_processed: 0,
      pages_left: pages,
      stopped: null
    })
    expect((await hurried()).stdout).toContain(`${pages} pages left; run again, or with --catch-up.`)
    expect(await json("links", "n0")).toEqual([])
    expect((await json("status")).runs[0]).toMatchObject({ command: "extract all", status: "incomplete" })
  })

  it("with --catch-up goes on until nothing is out of date, however long that takes", async () => {
    const told = await hurried("--catch-up", "--json")
    expect(told).toMatchObject({ code: 0 })
    expect(JSON.parse(told.stdout)).toMatchObject({
      kind: "all",
      status: "completed",
      pages_processed: pages,
      pages_left: 0,
      links: { found: pages, created: pages },
      timeline: { found: pages, created: pages },
      failures: []
    })
    expect(await json("links", "n0")).toMatchObject([{ slug: "n1" }])
    expect(await json("timeline", "n0")).toMatchObject([{ date: "2025-01-01" }])
    for (const flags of [[], ["--catch-up"]]) {
      expect(await json("extract", "--stale", ...flags)).toMatchObject({
        status: "completed",
        pages_up_to_date: pages,
        pages_processed: 0,
        pages_left: 0
      })
    }
  })

  it("takes what was edited since and leaves the rest; a dry run leaves that too", async () => {
    await write("n0", "See [[n2]], not the other.\n\n- **2025-02-01** | Log — Another day\n")
    await write("n1", "Nobody any more.\n")
    await ran("import", notes)
    const due = { status: "completed", pages_up_to_date: pages - 2, pages_processed: 2 }
    const changes = {
      links: { found: 1, created: 1, removed: 2 },
      timeline: { found: 1, created: 1, removed: 2 }
    }
    expect(await json("extract", "--stale", "--dry-run")).toMatchObject({ ...due, dry_run: true })
    expect(await json("extract", "--stale")).toMatchObject({ ...due, ...changes, dry_run: false })
    expect(await json("links", "n0")).toMatchObject([{ slug: "n2" }])
    expect(await json("links", "n1")).toEqual([])
    expect(await json("timeline", "n0")).toMatchObject([{ date: "2025-02-01" }])
    expect(await ran("extract", "--stale", "--catch-up")).toContain(
      `Nothing to do: ${pages} pages up to date.`
    )
  })
})
