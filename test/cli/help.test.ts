import { readFile } from "node:fs/promises"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"

/** Every command, and the flags that its help must name. */
const commands: ReadonlyArray<readonly [command: string, flags: ReadonlyArray<string>]> = [
  ["init", ["--pglite", "--url", "--path", "--embedding-model", "--embedding-dimensions", "--json"]],
  [
    "import",
    [
      "--source",
      "--strategy",
      "--include-gitignored",
      "--workers",
      "--dry-run",
      "--json",
      "--progress-json",
      "--url",
      "--path"
    ]
  ],
  ["reindex-code", ["--source", "--force", "--limit", "--workers", "--dry-run", "--json", "--url", "--path"]],
  [
    "extract",
    [
      "links, timeline, all",
      "--source",
      "--source-id",
      "--dir",
      "--type",
      "--since",
      "--include-frontmatter",
      "--force",
      "--stale",
      "--catch-up",
      "--workers",
      "--concurrency",
      "--dry-run",
      "--json",
      "--progress-json",
      "--url",
      "--path"
    ]
  ],
  [
    "reindex",
    [
      "--markdown",
      "--source-id",
      "--type",
      "--limit",
      "--workers",
      "--dry-run",
      "--json",
      "--progress-json",
      "--url",
      "--path"
    ]
  ],
  [
    "reindex-frontmatter",
    ["--source", "--slug-prefix", "--workers", "--dry-run", "--json", "--progress-json", "--url", "--path"]
  ],
  [
    "edges-backfill",
    [
      "--source",
      "--all-sources",
      "--max-chunks",
      "--workers",
      "--dry-run",
      "--json",
      "--progress-json",
      "--url",
      "--path"
    ]
  ],
  ["code-callers", ["symbol", "--source", "--all-sources", "--limit", "--json", "--url", "--path"]],
  ["code-callees", ["symbol", "--source", "--all-sources", "--limit", "--json", "--url", "--path"]],
  ["links", ["slug", "--source-id", "--json", "--url", "--path"]],
  ["backlinks", ["slug", "--source-id", "--json", "--url", "--path"]],
  ["graph", ["slug", "--depth", "--source-id", "--json", "--url", "--path"]],
  ["timeline", ["slug", "--source-id", "--json", "--url", "--path"]],
  [
    "embed",
    [
      "slug",
      "--stale",
      "--all",
      "--slugs",
      "--source-id",
      "--workers",
      "--concurrency",
      "--batch-size",
      "--limit",
      "--max-cost-usd",
      "--dry-run",
      "--yes",
      "--json",
      "--progress-json",
      "--url",
      "--path"
    ]
  ],
  [
    "extract-conversation-facts",
    [
      "--workers",
      "--concurrency",
      "--source-id",
      "--types",
      "--slug",
      "--since",
      "--limit",
      "--force",
      "--segment-limit",
      "--max-cost-usd",
      "--model",
      "--dry-run",
      "--yes",
      "-y",
      "--json",
      "--progress-json",
      "--override-disabled",
      "--url",
      "--path"
    ]
  ],
  ["facts", ["--entity", "--page", "--query", "--source-id", "--limit", "--json", "--url", "--path"]],
  ["migrate", ["embeddings"]],
  [
    "migrate embeddings",
    [
      "--to",
      "--dimensions",
      "--dim",
      "--workers",
      "--max-cost-usd",
      "--dry-run",
      "--status",
      "--undo",
      "--finish",
      "--skip-refused",
      "--yes",
      "--json",
      "--progress-json",
      "--url",
      "--path"
    ]
  ],
  ["status", ["--json", "--url", "--path"]],
  ["doctor", ["--json", "--url", "--path"]],
  ["lock", ["list", "release"]],
  ["lock list", ["--json", "--url", "--path"]],
  ["lock release", ["id", "--force", "--url", "--path"]],
  ["config", ["get", "set", "unset", "show"]],
  ["config get", ["--url", "--path"]],
  ["config set", ["--url", "--path"]],
  ["config unset", ["--url", "--path"]],
  ["config show", ["--json", "--url", "--path"]],
  ["sources", ["list", "add", "remove"]],
  ["sources list", ["--json", "--url", "--path"]],
  ["sources add", ["--name", "--directory", "--url", "--path"]],
  ["sources remove", ["--yes", "--url", "--path"]]
]

describe("help", () => {
  let home: CliHome
  beforeAll(async () => {
    home = await cliHome()
  })
  afterAll(() => home.remove())

  for (const [command, names] of commands) {
    it(`gbrain ${command} --help names all it takes, needs no brain, and is plain text in a pipe`, async () => {
      const { code, stderr, stdout } = await home.run([...command.split(" "), "--help"])
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(stdout).toContain(`gbrain ${command}`)
      for (const name of names) expect(stdout).toContain(name)
      expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u)
    })
  }

  it("every command has examples", async () => {
    for (const [command] of commands.filter(([name]) => !name.includes(" "))) {
      const { stdout } = await home.run([command, "--help"])
      expect(stdout).toMatch(new RegExp(`EXAMPLES\\n  # .*\\n  gbrain ${command}`))
    }
  })

  it("gbrain alone, and a group of commands alone, is a question for help", async () => {
    expect((await home.run([])).stdout).toBe((await home.run(["--help"])).stdout)
    expect((await home.run(["config"])).stdout).toBe((await home.run(["config", "--help"])).stdout)
  })

  it("the main page lists every command", async () => {
    const { stdout } = await home.run(["--help"])
    expect(stdout.slice(stdout.indexOf("SUBCOMMANDS"))).toMatchInlineSnapshot(`
      "SUBCOMMANDS
        init                Make a brain: embedded in a folder, or on a Postgres server with pgvector
        import              Bring the files of a folder into the brain; what has not changed costs nothing
        embed               Make the vectors of chunks, so that pages are found by what they mean
        extract             Read what pages say of other pages and of days, and keep it as links and timelines
        extract-conversation-facts Read conversation pages with a model and keep what they say about people, companies and projects as facts
        reindex             Bring up to date what is made of pages: chunks cut from their text, or vectors of images, PDFs and texts
        reindex-frontmatter Make the dates of pages anew from what their front matter says
        edges-backfill      Find out which symbols the names mean that code calls, imports and extends
        facts               Show what is known, newest first, with where it was said
        search              Find pages and facts by words and names. Needs no key and costs nothing
        query               Ask a question in plain words: pages and facts by words, names and meaning together. Without a key it answers by words alone
        links               Show what a page links, and in which words
        backlinks           Show what links a page, and in which words
        graph               Show what can be reached from a page by its links, each page once
        timeline            Show what happened to the subject of a page, newest first
        code-callers        Show which code calls, imports or extends a symbol
        code-callees        Show what a symbol calls
        reindex-code        Cut pages of code again whose chunks are by older rules, or of an older text; what is the same keeps its embedding
        migrate             Take the brain to another embedding model or width while it is in use
        status              Show pages, conversations done and to do, facts, leases, and what was run and spent
        doctor              Examine the brain, its database, its models and keys; name what is wrong and how to mend it
        jobs                Look after the work that was handed over with --background, and do it
        lock                Show who works on which pages, and release what a lost process holds
        config              Read and change the settings that live in the brain
        sources             List, add and remove the sources of pages
      "
    `)
  })

  it("--version is the package's", async () => {
    const text = await readFile(new URL("../../package.json", import.meta.url), "utf8")
    const { code, stdout } = await home.run(["--version"])
    expect(code).toBe(0)
    expect(stdout.trim()).toBe(`gbrain v${JSON.parse(text).version}`)
  })

  for (const shell of ["bash", "zsh", "fish"]) {
    it(`completions for ${shell} know the commands and their flags`, async () => {
      const { code, stdout } = await home.run(["--completions", shell])
      expect(code).toBe(0)
      for (const word of ["extract-conversation-facts", "max-cost-usd", "override-disabled", "doctor"]) {
        expect(stdout).toContain(word)
      }
    })
  }
})
