/** A page names its transcript; only files inside the brain's own folders are read. */
import { expect, it } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { SqlClient } from "effect/sql"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, factsOf, marksOf, putPages, standIn } from "../../support/extraction.ts"

onBothDatabases("a transcript file", (brain) => {
  it.live("is read from the source's folder or the brain's, by whatever path, and from nowhere else", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const base = yield* fs.makeTempDirectoryScoped()
      const at = (...names: ReadonlyArray<string>) => path.join(base, ...names)
      for (const folder of ["source", "repository", "outside"]) {
        yield* fs.makeDirectory(at(folder))
        yield* fs.writeFileString(at(folder, `${folder}.txt`), conversation(folder, 2))
      }
      // A folder that begins with the name of the brain's own.
      yield* fs.makeDirectory(at("source-secret"))
      yield* fs.writeFileString(at("source-secret", "x.txt"), conversation("outside", 2))
      yield* fs.symlink(at("outside", "outside.txt"), at("source", "link.txt"))
      yield* fs.symlink(at("outside"), at("source", "folder"))
      yield* fs.symlink(at("source", "source.txt"), at("source", "inner.txt"))
      yield* sql`update sources set local_path = ${at("source")} where id = 'default'`
      yield* sql`insert into config (key, value) values ('sync.repo_path', ${at("repository")})`
      const inside = {
        relative: "source.txt",
        absolute: at("source", "source.txt"),
        inner: "inner.txt",
        repository: "repository.txt",
        "repository-absolute": at("repository", "repository.txt")
      }
      const outside = {
        link: "link.txt",
        folder: "folder/outside.txt",
        absolute: at("outside", "outside.txt"),
        dots: "../outside/outside.txt",
        prefix: "../source-secret/x.txt",
        directory: "."
      }
      const pages = (kind: string, files: Readonly<Record<string, string>>) =>
        Object.entries(files).map(([name, file]) => ({
          slug: `${kind}/${name}`,
          type: "meeting",
          body: "A summary.",
          frontmatter: { raw_transcript: file }
        }))
      yield* putPages([...pages("inside", inside), ...pages("outside", outside)])
      const report = yield* extract(api.url)
      expect(report).toMatchObject({ status: "failed", pages_processed: 5, pages_failed: 6 })
      for (const name of Object.keys(inside)) {
        const from = name.startsWith("repository") ? "repository" : "source"
        const facts = yield* factsOf(`inside/${name}`)
        expect([name, facts.length, facts.every((row) => row.fact.includes(`the ${from} contract`))]).toEqual(
          [name, 2, true]
        )
      }
      for (const name of Object.keys(outside)) {
        expect([name, yield* marksOf(`outside/${name}`)]).toEqual([name, []])
      }
      expect(api.log().some((entry) => entry.text.includes("the outside contract"))).toBe(false)
      expect(report.failures.map(({ item }) => item).sort()).toEqual(
        Object.keys(outside)
          .map((name) => `outside/${name}`)
          .sort()
      )
      const why = (name: string) => report.failures.find(({ item }) => item === `outside/${name}`)?.reason
      expect(why("link")).toContain("the transcript link.txt cannot be read here:")
      expect(why("link")).toContain("is not inside")
      expect(why("directory")).toContain("is no file")
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
