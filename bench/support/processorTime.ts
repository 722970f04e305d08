/** The processor's time that this process has used up. */
import { readdirSync, readFileSync } from "node:fs"
import { pgliteThreadName } from "../../src/services/database/pglite/thread.ts"

/** Hundredths of a second, in which Linux counts the time of threads. */
const tick = 10

/**
 * Milliseconds of all threads, compiler and garbage collector included, and of them those of the embedded database's thread. The
 * latter is read where Linux shows it, and 0 elsewhere.
 */
export const processorTime = () => {
  const { system, user } = process.cpuUsage()
  return { all: (user + system) / 1000, database: databaseThread() }
}

const databaseThread = () => {
  const folder = "/proc/self/task"
  const read = (thread: string, what: string) => readFileSync(`${folder}/${thread}/${what}`, "utf8").trim()
  try {
    // A name is cut at fifteen characters there.
    const thread = readdirSync(folder).find((it) => read(it, "comm") === pgliteThreadName.slice(0, 15))
    if (thread === undefined) return 0
    // What follows the name, which may hold blanks: the 12th and 13th of these are user and system time.
    const fields = read(thread, "stat").split(") ")[1]?.split(" ") ?? []
    return (Number(fields[11]) + Number(fields[12])) * tick
  } catch {
    return 0
  }
}
