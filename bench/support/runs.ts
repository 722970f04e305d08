/** Runs that are measured: each is a process of its own, so that its processor time and memory are its own. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { startServer } from "../../test/support/postgres/server.ts"

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What a run printed last: numbers by name. `script` is a file of this folder's parent. Rejects when the run fails. */
export const measured = async (
  script: string,
  args: ReadonlyArray<string>
): Promise<Record<string, number>> => {
  const child = spawn(process.execPath, [file(`../${script}`), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let out = ""
  child.stdout.on("data", (chunk) => (out += chunk))
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`the run failed: ${out}`)
  return JSON.parse(out.trim().split("\n").pop() ?? "{}")
}

/** Prints a row of a table with columns of so many characters. */
export const row =
  (width: number) =>
  (...cells: ReadonlyArray<string | number>) =>
    process.stdout.write(`${cells.map((cell) => String(cell).padStart(width)).join("")}\n`)

/** The stand-in for a model's server as a process of its own, with the arguments of `stand-in/main.ts`. */
export const startStandIn = async (args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [file("../../test/support/stand-in/main.ts"), ...args, "--no-log"], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const [url] = await once(createInterface(child.stdout), "line")
  return { url: String(url), stop: () => child.kill() }
}

/**
 * Calls `measure` with each database that is wanted (`pglite`, `postgres` or `both`): its name, and the URL of its server, "" for
 * embedded ones. The server is stopped afterwards.
 */
export const onDatabases = async (
  wanted: string,
  measure: (database: { readonly name: string; readonly url: string }) => Promise<void>
) => {
  if (wanted !== "postgres") await measure({ name: "pglite", url: "" })
  if (wanted === "pglite") return
  const server = await startServer((text) => process.stderr.write(`${text}\n`))
  if (!("url" in server)) throw new Error(server.reason)
  try {
    await measure({ name: "postgres", url: server.url })
  } finally {
    await server.stop()
  }
}
