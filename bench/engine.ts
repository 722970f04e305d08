/**
 * The engine without a database and without a model, against other ways to run N at a time; all in one run, so that what counts are
 * ratios.
 *
 *   npm run bench:engine
 *   npm run bench:engine -- --statements     also statements a page, on Postgres and PGlite; takes longer
 */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { parseArgs } from "node:util"
import { chanceFrom } from "../test/simulation/Chance.ts"
import { type Contender, contenders, type Work } from "./engine/contenders.ts"
import { countStatements } from "./engine/statements.ts"
import { heading, row } from "./engine/table.ts"

const { values } = parseArgs({ options: { statements: { type: "boolean", default: false } } })

const timed = async (work: () => Promise<void>): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** Answers a little around 30 ms; and such as models give: most near 20 ms, some ten times and more. */
const latencies = {
  even: (seed: number) => 27 + chanceFrom(seed).next() * 6,
  "long-tailed": (seed: number) => {
    const chance = chanceFrom(seed)
    const normal = Math.sqrt(-2 * Math.log(1 - chance.next())) * Math.cos(2 * Math.PI * chance.next())
    return Math.min(600, 20 * Math.exp(1.1 * normal))
  }
}

heading(
  "Efficiency: the time that answers took / N / the time the run took. 2,000 answers; 1 would be workers that never wait."
)
for (const [kind, latency] of Object.entries(latencies)) {
  row(kind, "N=5", "N=20", "N=50")
  const answers = Array.from({ length: 2_000 }, (_, seed) => Math.max(1, Math.round(latency(seed + 1))))
  const sum = answers.reduce((all, millis) => all + millis, 0)
  const work: Work = (item) => answers[item] ?? 1
  for (const contender of contenders) {
    const cells: Array<string> = []
    for (const workers of [5, 20, 50]) {
      const millis = await timed(() => contender.run(answers.length, workers, work))
      cells.push((sum / workers / millis).toFixed(3))
    }
    row(contender.name, ...cells)
  }
}

const nothing: Work = () => 0
const many = 100_000

/** Microseconds an item: the best of five runs, since others use the machine too. */
const costOf = async (contender: Contender, workers: number): Promise<number> => {
  let best = Infinity
  for (let round = 0; round < 5; round++) {
    best = Math.min(best, await timed(() => contender.run(many, workers, nothing)))
  }
  return (best / many) * 1000
}

heading(`Microseconds an item with no work to do, ${many.toLocaleString("en")} items`)
row("", "N=1", "N=20", "N=100", "N=1,000")
for (const contender of contenders) {
  const cells: Array<string> = []
  for (const workers of [1, 20, 100, 1_000]) cells.push((await costOf(contender, workers)).toFixed(2))
  row(contender.name, ...cells)
}

setFlagsFromString("--expose-gc")
const collect: unknown = runInNewContext("gc")
const heap = () => {
  if (typeof collect === "function") collect()
  return process.memoryUsage().heapUsed
}

/** Kilobytes for each of a thousand pieces in flight, and megabytes for 200,000 items of which a thousand are in flight. */
const memoryOf = async (contender: Contender, items: number): Promise<number> => {
  const before = heap()
  let asked = 0
  let most = 0
  const work: Work = () => {
    asked++
    // Seen while the first thousand are waited for.
    if (asked === 1_000) setTimeout(() => (most = heap() - before), 50)
    return asked <= 1_000 ? 500 : 0
  }
  await contender.run(items, 1_000, work)
  return most
}

heading("Memory with N = 1,000 in flight")
row("", "KB each", "MB, of 200,000")
for (const contender of contenders.filter(({ name }) => name !== "batches of ten")) {
  const few = await memoryOf(contender, 1_000)
  const whole = await memoryOf(contender, 200_000)
  row(contender.name, (few / 1024 / 1_000).toFixed(2), (whole / 1024 / 1024).toFixed(1))
}

if (values.statements) await countStatements()
process.exit(0)
