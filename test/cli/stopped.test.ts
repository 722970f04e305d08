/**
 * Commands that ask no model, stopped in the middle of a write: by Ctrl-C they tell what they did and leave nothing behind, after a
 * kill the same command finishes, and what is derived is as if nothing had happened.
 */
import { cp, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Redacted, Scope } from "effect"
import { Database } from "../../src/services/Database.ts"
import { freshDatabase } from "../support/brains.ts"
import { type CliHome, cliHome, until } from "../support/cli.ts"

const example = fileURLToPath(new URL("../../examples/brain", import.meta.url))

/** All that is derived from pages, by names rather than ids. */
const derived = [
  `select page.slug, chunk_index, chunk_text, symbol_name_qualified from content_chunks chunk
    join pages page on page.id = page_id order by 1, 2`,
  `select a.slug, b.slug as "to", link_type, context from links join pages a on a.id = from_page_id
    join pages b on b.id = to_page_id order by 1, 2, 3, 4`,
  `select slug, date, summary from timeline_entries join pages on pages.id = page_id order by 1, 2, 3`,
  `select slug, title, effective_date_source, chunker_version, deleted_at from pages order by 1`,
  `select from_symbol_qualified, to_symbol_qualified, edge_type from code_edges_chunk order by 1, 2, 3`,
  `select from_symbol_qualified, to_symbol_qualified, edge_type from code_edges_symbol order by 1, 2, 3`
]

describe.skipIf(inject("noPostgres") !== "")(`stopped in the middle ${inject("noPostgres")}`, () => {
  let scope: Scope.Closeable
  let home: CliHome
  let url: string
  let notes: string
  let before: unknown

  const query = <A extends object>(text: string) =>
    Effect.runPromise(
      Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe<A>(text)).pipe(
        Effect.provide(Database.layerPostgres({ url: Redacted.make(url), maxConnections: 1 })),
        Effect.provide(NodeServices.layer)
      )
    )

  /** Nobody can write to the tables until the answer is called; in the mode `share` everybody can read. */
  const hold = async (tables: string, mode: "share" | "access exclusive" = "share") => {
    const held = Effect.runSync(Deferred.make<void>())
    const released = Effect.runSync(Deferred.make<void>())
    const over = Effect.runPromise(
      Effect.flatMap(PgClient.PgClient, (sql) =>
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql.unsafe(`lock table ${tables} in ${mode} mode`)
            yield* Deferred.succeed(held, undefined)
            yield* Deferred.await(released)
          })
        )
      ).pipe(
        Effect.provide(Database.layerPostgres({ url: Redacted.make(url), maxConnections: 1 })),
        Effect.provide(NodeServices.layer)
      )
    )
    await Effect.runPromise(Deferred.await(held))
    return () => {
      Effect.runSync(Deferred.succeed(released, undefined))
      return over
    }
  }

  const waits = async () =>
    (
      await query<{ readonly pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      )
    ).length > 0

  const run = async (args: ReadonlyArray<string>) => {
    const result = await home.run([...args, "--json", "--url", url])
    expect(result).toMatchObject({ code: 0 })
    return JSON.parse(result.stdout)
  }

  /** Once by Ctrl-C, once by a kill, each while it waits to write. */
  const stop = async (command: ReadonlyArray<string>) => {
    const interrupted = home.start([...command, "--json", "--url", url])
    await until(waits)
    interrupted.kill("SIGINT")
    const ended = await interrupted.ended
    expect({ code: ended.code, status: JSON.parse(ended.stdout).status }).toEqual({
      code: 130,
      status: "interrupted"
    })
    expect(await query("select id from gbrain_cycle_locks")).toEqual([])
    expect(await query("select status from gbrain_effect.runs order by id desc limit 1")).toEqual([
      { status: "interrupted" }
    ])
    const killed = home.start([...command, "--json", "--url", url])
    await until(waits)
    killed.kill("SIGKILL")
    await killed.ended
  }

  const all = () => Promise.all(derived.map((text) => query(text)))

  beforeAll(async () => {
    scope = await Effect.runPromise(Scope.make())
    home = await cliHome()
    url = await Effect.runPromise(freshDatabase.pipe(Scope.provide(scope)))
    notes = join(home.directory, "notes")
    await cp(join(example, "people"), join(notes, "people"), { recursive: true })
    await cp(join(example, "companies"), join(notes, "companies"), { recursive: true })
    await mkdir(join(notes, "code"))
    await writeFile(join(notes, "code/a.ts"), 'import { b } from "./b"\nexport const a = () => b()\n')
    await writeFile(join(notes, "code/b.ts"), "export const b = () => 1\n")
    await home.run(["init", "--url", url])
    await run(["import", notes, "--strategy", "all"])
    await run(["edges-backfill"])
    before = await all()
  }, 120_000)
  afterAll(async () => {
    await home.remove()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  // The command, what makes its work due, and what it writes to first.
  const commands: ReadonlyArray<readonly [args: ReadonlyArray<string>, due: string, tables: string]> = [
    [["extract", "all"], "update pages set links_extracted_at = null; delete from links", "links"],
    [
      ["import", "NOTES", "--strategy", "all"],
      "update pages set content_hash = 'other', compiled_truth = compiled_truth || ' old'",
      "pages"
    ],
    [
      ["reindex", "--markdown"],
      "delete from gbrain_effect.pages_chunked; update content_chunks set chunk_text = 'old' where language is null",
      "content_chunks"
    ],
    [
      ["reindex-code", "--force"],
      "update content_chunks set chunk_text = 'old' where language is not null",
      "content_chunks"
    ],
    [
      ["reindex-frontmatter"],
      "update pages set effective_date = '2001-01-01', effective_date_source = 'fallback'",
      "pages"
    ],
    [
      ["edges-backfill"],
      "update content_chunks set edges_backfilled_at = null; update code_edges_symbol set edge_metadata = '{}'",
      "code_edges_symbol, code_edges_chunk"
    ]
  ]

  const early = [
    ["extract", "all"],
    ["import", "."],
    ["reindex", "--markdown"],
    ["edges-backfill"],
    ["links", "a"]
  ]
  for (const args of early.flatMap((command) => [command, [...command, "--json"]])) {
    it(`${args.join(" ")}, before there is anything to report`, async () => {
      const release = await hold("sources, pages", "access exclusive")
      try {
        const stopped = home.start([...args, "--url", url])
        await until(waits)
        stopped.kill("SIGINT")
        const { code, stderr, stdout } = await stopped.ended
        expect({ code, stdout, last: stderr.trim().split("\n").pop() }).toEqual({
          code: 130,
          stdout: "",
          last: "gbrain: stopped before there was anything to report."
        })
      } finally {
        await release()
      }
      await until(async () => !(await waits()))
    }, 60_000)
  }

  for (const [args, due, tables] of commands) {
    it(
      args.slice(0, 2).join(" "),
      async () => {
        const command = args.map((word) => (word === "NOTES" ? notes : word))
        for (const statement of due.split("; ")) await query(statement)
        const release = await hold(tables)
        try {
          await stop(command)
        } finally {
          await release()
        }
        await until(async () => !(await waits()))

        expect(await run(command)).toMatchObject({ status: "completed" })
        expect(await all()).toEqual(before)
      },
      180_000
    )
  }
})
