/** A process of its own that works on jobs when nobody else does, started by whoever hands one over. */
import { spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { Data, Effect, Redacted } from "effect"
import { type BrainLocation, Settings } from "../services/Settings.ts"

/** The process that was to work on jobs could not, or did not. */
export class RunnerFailed extends Data.TaggedError("RunnerFailed")<{ readonly message: string }> {}

/** A process that was started. */
export interface StartedRunner {
  readonly pid: number
  /** What it says goes there. */
  readonly log: string
  /** Waits for its end; fails, with what it said, when that is a failure. */
  readonly ended: Effect.Effect<void, RunnerFailed>
}

/**
 * Starts a process that works on the jobs of a brain until none is left. It outlives this one and its terminal; keys are those of this
 * process's environment.
 */
export const startRunner = Effect.fnUntraced(function* (location: BrainLocation) {
  const directory = yield* (yield* Settings).logDirectory
  const log = join(directory, "jobs.log")
  return yield* Effect.sync((): StartedRunner => {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const file = openSync(log, "a", 0o600)
    const before = statSync(log).size
    const where = location.kind === "pglite" ? ["--path", resolve(location.directory)] : []
    // An address may have a password in it, which everybody on the machine could read in the list of processes.
    const env =
      location.kind === "postgres"
        ? { ...process.env, GBRAIN_DATABASE_URL: Redacted.value(location.url) }
        : process.env
    const child = spawn(
      process.execPath,
      [...process.execArgv, process.argv[1] ?? "", "jobs", "work", "--until-idle", ...where],
      { detached: true, stdio: ["ignore", file, file], env }
    )
    closeSync(file)
    child.unref()
    const pid = child.pid ?? 0
    const saidSince = () => readFileSync(log).subarray(before).toString().trim()
    return {
      pid,
      log,
      ended: Effect.callback((resume) => {
        const fail = (why: string) =>
          resume(
            new RunnerFailed({
              message: `The process that was to work on the job ended: ${why}\nThe job waits; do it with: gbrain jobs work`
            })
          )
        child.once("error", (error) => fail(error.message))
        child.once("exit", (code) => {
          if (code === 0) return resume(Effect.void)
          fail(lastLine(saidSince()) ?? `exit code ${code}`)
        })
      })
    }
  })
})

const lastLine = (text: string) =>
  text
    .split("\n")
    .at(-1)
    ?.replace(/^gbrain: /, "")
