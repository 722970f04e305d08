/**
 * More stories than the tests tell: `npm run simulate -- 1000000`, from seed 1, or from another: `npm run simulate -- 1000 5001`.
 * Uses all processors. Names the seeds in which something did not hold, and ends with 1 if there were any.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { simulate } from "../test/simulation/simulate.ts"

const [count = 10_000, first = 1, step = 0] = process.argv.slice(2).map(Number)
const last = first + count - 1

const tell = async () => {
  for (let seed = first; seed <= last; seed += step) {
    const { violation } = await Effect.runPromise(simulate(seed))
    process.stdout.write(violation === undefined ? ".\n" : `${seed}: ${violation}\n`)
  }
}

const shareOut = async () => {
  const jobs = availableParallelism()
  const startedAt = performance.now()
  let told = 0
  let bad = 0
  const seconds = () => Math.round((performance.now() - startedAt) / 1000)
  const read = (line: string) => {
    told++
    if (line !== ".") {
      bad++
      process.stdout.write(`${line}\n`)
    }
    if (told % 1_000 === 0) process.stderr.write(`${told} of ${count} seeds, ${bad} bad, ${seconds()} s\n`)
  }
  const children = Array.from({ length: jobs }, (_, job) => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(import.meta.url), String(count - job), String(first + job), String(jobs)],
      { stdio: ["ignore", "pipe", "inherit"] }
    )
    createInterface(child.stdout).on("line", read)
    return once(child, "close")
  })
  await Promise.all(children)
  process.stdout.write(`${told} seeds, ${bad} in which something did not hold, ${seconds()} s.\n`)
  process.exitCode = bad === 0 && told === count ? 0 : 1
}

await (step > 0 ? tell() : shareOut())
