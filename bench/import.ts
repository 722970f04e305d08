/**
 * How fast folders are imported: small markdown pages, and files of code, first and again with nothing changed, with so many
 * workers, on both databases. Each run is a process of its own.
 *
 *   npm run bench:import
 *   npm run bench:import -- --pages 2000 --files 100 --database postgres
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { measured, onDatabases, row } from "./support/runs.ts"

const { values } = parseArgs({
  options: {
    pages: { type: "string", default: "5000" },
    files: { type: "string", default: "400" },
    workers: { type: "string", default: "1,2,4" },
    database: { type: "string", default: "both" }
  }
})

const folder = await mkdtemp(join(tmpdir(), "gbrain-bench-import-"))

/** Pages of some 700 characters with three links, a date, and front matter. */
const writePages = async () => {
  const count = Number(values.pages)
  for (let page = 0; page < count; page++) {
    const directory = join(folder, "notes", `people-${page % 50}`)
    if (page < 50) await mkdir(directory, { recursive: true })
    await writeFile(
      join(directory, `person-${page}.md`),
      `---\ntitle: Person ${page}\ntags: [a, b]\n---\n# Person ${page}\n\nWorks with [[person-${(page * 7) % count}]] and knows [[person-${(page * 11) % count}|somebody]].\n${"The tide was low and the boats lay on their sides in the mud. ".repeat(8)}\n\n- **2024-03-15** | Minutes — Met person ${(page * 13) % count}\n`
    )
  }
}

/** This project's own sources, over and over. */
const writeCode = async () => {
  const sources = fileURLToPath(new URL("../src", import.meta.url))
  const copies = Math.max(1, Math.ceil(Number(values.files) / 200))
  for (let copy = 0; copy < copies; copy++)
    await cp(sources, join(folder, "code", `copy-${copy}`), { recursive: true })
}

const print = row(16)

try {
  await writePages()
  await writeCode()
  print(
    "database",
    "what",
    "workers",
    "files/s",
    "times 1 worker",
    "again, files/s",
    "times the first",
    "cpu s",
    "MB"
  )
  await onDatabases(values.database, async (database) => {
    for (const what of ["markdown", "code"]) {
      let one = 0
      for (const workers of values.workers.split(",")) {
        const directory = join(folder, what === "code" ? "code" : "notes")
        const found = await measured("run-import.ts", [database.url, directory, what, workers])
        const first = found["first"] ?? 0
        const again = found["again"] ?? 0
        if (one === 0) one = first
        print(
          database.name,
          what,
          workers,
          Math.round(first),
          (first / one).toFixed(2),
          Math.round(again),
          (again / first).toFixed(1),
          (found["cpu"] ?? 0).toFixed(1),
          Math.round(found["megabytes"] ?? 0)
        )
      }
    }
  })
} finally {
  await rm(folder, { recursive: true, force: true })
}
process.exit(0)
