/**
 * The stand-in as a process of its own: `node test/support/stand-in/main.ts --chat-latency 1500 --embedding-latency 120`.
 * Prints its address as its first line, and ends when its standard input does, so that it never outlives who started it.
 */
import { parseArgs } from "node:util"
import { startStandIn } from "./server.ts"

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "chat-latency": { type: "string", default: "0" },
    "embedding-latency": { type: "string", default: "0" },
    spread: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    key: { type: "string" },
    "requests-per-minute": { type: "string" },
    "no-log": { type: "boolean", default: false }
  }
})

const server = await startStandIn({
  port: Number(values.port),
  chatLatency: Number(values["chat-latency"]),
  embeddingLatency: Number(values["embedding-latency"]),
  spread: Number(values.spread),
  seed: Number(values.seed),
  key: values.key ?? null,
  requestsPerMinute:
    values["requests-per-minute"] === undefined ? null : Number(values["requests-per-minute"]),
  logged: !values["no-log"]
})
process.stdout.write(`${server.url}\n`)
process.stdin.on("end", () => process.exit(0))
process.stdin.on("close", () => process.exit(0))
process.stdin.resume()
