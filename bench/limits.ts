/**
 * A limit of requests a minute, obeyed by one process and by several together, for real: commands as a person starts them, on
 * one Postgres brain, against the stand-in server.
 *
 *   npm run bench:limits
 *   npm run bench:limits -- --per-minute 600 --processes 1,5 --minutes 3
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Effect, Redacted, Schema } from "effect"
import { Database } from "../src/index.ts"
import { startServer } from "../test/support/postgres/server.ts"
import { fillConversations, freshDatabase } from "./support/brain.ts"

const { values } = parseArgs({
  options: {
    "per-minute": { type: "string", default: "600" },
    processes: { type: "string", default: "1,5" },
    workers: { type: "string", default: "20" },
    minutes: { type: "string", default: "2" }
  }
})

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const perMinute = Number(values["per-minute"])
const minutes = Number(values.minutes)
const home = await mkdtemp(join(tmpdir(), "gbrain-bench-"))

const gbrain = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  spawn(process.execPath, [file("../bin/gbrain.js"), ...args], {
    stdio: "ignore",
    env: { PATH: process.env["PATH"] ?? "", HOME: home, GBRAIN_HOME: home, ...env }
  })

const decodeStats = Schema.decodeUnknownSync(
  Schema.Struct({ chatCalls: Schema.Finite, rateLimited: Schema.Finite })
)

/** What the server has counted, of chat calls only. */
const countOf = (url: string) =>
  Effect.promise(async () => {
    const stats = decodeStats(await (await fetch(`${url.replace(/\/v1$/, "")}/__stats`)).json())
    return { answered: stats.chatCalls, refused: stats.rateLimited }
  })

const standIn = Effect.acquireRelease(
  Effect.promise(async () => {
    const child = spawn(
      process.execPath,
      [
        file("../test/support/stand-in/main.ts"),
        "--chat-latency=1000",
        "--embedding-latency=100",
        "--spread=0.4",
        "--no-log",
        `--requests-per-minute=${perMinute}`
      ],
      { stdio: ["pipe", "pipe", "inherit"] }
    )
    const [url] = await once(createInterface(child.stdout), "line")
    return { child, url: String(url) }
  }),
  ({ child }) => Effect.sync(() => child.kill())
)

const measure = (server: string, processes: number) =>
  Effect.gen(function* () {
    const { url } = yield* standIn
    const database = yield* freshDatabase(server)
    const address = Redacted.value(database)
    const env = { GBRAIN_DATABASE_URL: address, OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-bench" }
    yield* Effect.promise(() =>
      once(gbrain(["init", "--url", address, "--embedding-dimensions", "64"], env), "close")
    )
    yield* fillConversations(Math.ceil(perMinute * (minutes + 3))).pipe(
      Effect.provide(Database.layerPostgres({ url: database, maxConnections: 1 }))
    )
    const command = ["extract-conversation-facts", "--workers", values.workers, "--max-cost-usd", "1000"]
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        Array.from({ length: processes }, () => gbrain([...command, "--yes", "--json"], env))
      ),
      (running) =>
        Effect.promise(async () => {
          for (const child of running) child.kill("SIGTERM")
          await Promise.all(
            running.filter((child) => child.exitCode === null).map((child) => once(child, "close"))
          )
        })
    )
    // The first minute's allowance may be used in one burst: what counts is what comes after it.
    yield* Effect.sleep("75 seconds")
    const before = yield* countOf(url)
    yield* Effect.sleep(minutes * 60_000)
    const after = yield* countOf(url)
    const answered = after.answered - before.answered
    const refused = after.refused - before.refused
    return { used: answered / (perMinute * minutes), refused: refused / (answered + refused) }
  }).pipe(Effect.scoped)

const server = await startServer((text) => process.stderr.write(`${text}\n`))
if (!("url" in server)) throw new Error(server.reason)
try {
  process.stdout.write(
    `${perMinute} requests a minute allowed, --workers ${values.workers}, over ${minutes} minutes\n`
  )
  for (const processes of values.processes.split(",")) {
    const { refused, used } = await Effect.runPromise(measure(server.url, Number(processes)))
    process.stdout.write(
      `${processes.padStart(3)} processes: ${(used * 100).toFixed(1)} % used, ${(refused * 100).toFixed(2)} % refused\n`
    )
  }
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}
process.exit(0)
