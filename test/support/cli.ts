/** The built command as a child process, the way a person runs it. */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** How a command ended. */
export interface CliResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface CliProcess {
  readonly kill: (signal: NodeJS.Signals) => void
  readonly pid: number
  readonly ended: Promise<CliResult>
  /** What was said on standard error until now. */
  readonly stderr: () => string
}

/** What is seldom different. */
export interface HowToStart {
  /** The folder the command is given in; the repository unless told. */
  readonly cwd?: string
  /** Options for Node itself. */
  readonly nodeOptions?: ReadonlyArray<string>
  /** Somebody at a terminal, who types `keys` when the text `when` is on the screen. All of it is then on standard output. */
  readonly terminal?: { readonly when: string; readonly keys: string }
}

/** An environment of its own for commands: no settings, no keys, no brain of the person who runs the tests. */
export interface CliHome {
  readonly directory: string
  readonly start: (
    args: ReadonlyArray<string>,
    env?: Readonly<Record<string, string>>,
    how?: HowToStart
  ) => CliProcess
  readonly run: (
    args: ReadonlyArray<string>,
    env?: Readonly<Record<string, string>>,
    how?: HowToStart
  ) => Promise<CliResult>
  readonly remove: () => Promise<void>
}

/** Makes a home for commands in a temporary folder. */
export const cliHome = async (base: Readonly<Record<string, string>> = {}): Promise<CliHome> => {
  const directory = await mkdtemp(join(tmpdir(), "gbrain-test-"))
  const start: CliHome["start"] = (args, env = {}, how = {}) => {
    const { terminal } = how
    const command = [
      process.execPath,
      ...(how.nodeOptions ?? []),
      join(root, "bin/gbrain.js"),
      ...args
    ] as const
    const [program, ...rest] =
      terminal === undefined
        ? command
        : (["script", "-qec", command.map((word) => `'${word}'`).join(" "), "/dev/null"] as const)
    const child = spawn(program, rest, {
      cwd: how.cwd ?? root,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: directory,
        GBRAIN_HOME: join(directory, "home"),
        ...base,
        ...env
      }
    })
    let stdout = ""
    let stderr = ""
    if (terminal === undefined) child.stdin.end()
    child.stdout.on("data", (chunk: Buffer) => {
      const before = stdout
      stdout += chunk.toString()
      if (terminal === undefined || before.includes(terminal.when) || !stdout.includes(terminal.when)) return
      child.stdin.write(terminal.keys)
    })
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()))
    const ended = new Promise<CliResult>((resolve, reject) => {
      child.once("error", reject)
      child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
    })
    return { kill: (signal) => child.kill(signal), pid: child.pid ?? 0, ended, stderr: () => stderr }
  }
  return {
    directory,
    start,
    run: (args, env, how) => start(args, env, how).ended,
    remove: () => rm(directory, { recursive: true, force: true })
  }
}

/** Waits until something is so, looking often; fails after a minute. */
export const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (let attempt = 0; attempt < 6000; attempt++) {
    if (await condition()) return
    await sleep(10)
  }
  throw new Error("what was waited for did not come")
}
