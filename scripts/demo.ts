/**
 * `npm run demo`: a brain from nothing. Makes an embedded brain in `.demo`, imports `examples/brain`, extracts facts from its
 * conversations, and shows what was learnt about one person. With OPENAI_API_KEY set it asks the real API; without, it
 * starts the project's own stand-in server and says so.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { rm } from "node:fs/promises"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const home = `${root}.demo`

const heading = (text: string) => process.stdout.write(`\n── ${text}\n`)

/** Runs a gbrain command, shown as a person would type it. Ends the demo when it fails. */
const gbrain = async (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) => {
  const shown = args.map((arg) => (arg.includes(" ") ? `"${arg}"` : arg)).join(" ")
  process.stdout.write(`\n$ gbrain ${shown}\n`)
  const child = spawn(process.execPath, [`${root}bin/gbrain.js`, ...args], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env, GBRAIN_HOME: home, GBRAIN_DATABASE_URL: "", DATABASE_URL: "" }
  })
  const [code] = await once(child, "exit")
  if (code !== 0) process.exit(typeof code === "number" ? code : 1)
}

/** Starts the stand-in server, which ends when this process does; answers its address. */
const startStandIn = async (): Promise<string> => {
  const child = spawn(
    process.execPath,
    [
      `${root}test/support/stand-in/main.ts`,
      "--chat-latency",
      "900",
      "--embedding-latency",
      "120",
      "--spread",
      "0.5"
    ],
    { stdio: ["pipe", "pipe", "inherit"] }
  )
  child.unref()
  const [line] = await once(createInterface(child.stdout), "line")
  return String(line)
}

await rm(home, { recursive: true, force: true })
const real = (process.env["OPENAI_API_KEY"] ?? "") !== ""
heading(
  real
    ? "OPENAI_API_KEY is set: the real API is asked, for less than $0.50."
    : "No OPENAI_API_KEY: the project's own stand-in server answers, by rules instead of a model, at no cost.\n   The dollars shown are what the real API would have cost."
)
const env: Readonly<Record<string, string>> = real ? {} : { OPENAI_BASE_URL: await startStandIn() }

heading("A brain of its own, in .demo")
await gbrain(["init"], env)
await gbrain(["import", "examples/brain", "--workers", "4"], env)
heading("What there is to read, and what it would cost")
await gbrain(["extract-conversation-facts", "--dry-run", "--workers", "20"], env)
heading("Twenty at a time")
await gbrain(["extract-conversation-facts", "--workers", "20", "--max-cost-usd", "0.50", "--yes"], env)
heading("What is known about one person now")
await gbrain(["facts", "--entity", "Noor Halloran"], env)
process.stdout.write(
  `\nGo on with this brain: GBRAIN_HOME=.demo npx gbrain facts --query whale${real ? "" : "\nYour own: npx gbrain init && npx gbrain import DIR && OPENAI_API_KEY=… npx gbrain extract-conversation-facts --workers 20"}\n`
)
process.exit(0)
