#!/usr/bin/env node
/** `gbrain`: commands composed, layers provided, errors told in one line, exit codes kept. */
import { readFileSync } from "node:fs"
// By their own names: the package as a whole loads twice as much as the rest of the command.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer, Logger, Option, Schema } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import { SqlError } from "effect/sql"
import { reasonOf } from "../services/Database.ts"
import { Settings } from "../services/Settings.ts"
import { codeCallees, codeCallers, edgesBackfillCommand } from "./commands/code.ts"
import { config } from "./commands/config.ts"
import { doctor } from "./commands/doctor.ts"
import { embedCommand } from "./commands/embed.ts"
import { extractCommand } from "./commands/extract.ts"
import { extractConversationFactsCommand } from "./commands/extractConversationFacts.ts"
import { facts } from "./commands/facts.ts"
import { backlinks, graph, links, timeline } from "./commands/graph.ts"
import { importCommand } from "./commands/import.ts"
import { init } from "./commands/init.ts"
import { jobs } from "./commands/jobs.ts"
import { lock } from "./commands/lock.ts"
import { reindexCommand } from "./commands/reindex.ts"
import { reindexFrontmatterCommand } from "./commands/reindexFrontmatter.ts"
import { reindexCodeCommand } from "./commands/reindexCode.ts"
import { migrate } from "./commands/migrate.ts"
import { queryCommand, searchCommand } from "./commands/search.ts"
import { sources } from "./commands/sources.ts"
import { status } from "./commands/status.ts"
import { Ended, exitCodes, isWrongUsage } from "./exit.ts"
import { printable } from "./render/text.ts"

const gbrain = Command.make("gbrain").pipe(
  Command.withDescription(
    "Knowledge in markdown, worked on in bulk: many at a time, within a budget, safe to stop"
  ),
  Command.withSubcommands([
    init,
    importCommand,
    embedCommand,
    extractCommand,
    extractConversationFactsCommand,
    reindexCommand,
    reindexFrontmatterCommand,
    edgesBackfillCommand,
    facts,
    searchCommand,
    queryCommand,
    links,
    backlinks,
    graph,
    timeline,
    codeCallers,
    codeCallees,
    reindexCodeCommand,
    migrate,
    status,
    doctor,
    jobs,
    lock,
    config,
    sources
  ])
)

const { version } = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ version: Schema.String }))
)(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))

const args = process.argv.slice(2)
const debug = process.env["GBRAIN_DEBUG"] === "1"
// Where things were called from is noted for whoever asks: otherwise every call would pay for it.
if (!debug) Error.stackTraceLimit = 0

// The first thing that stops a run gives the exit code; what breaks on the way out does not change it.
let stoppedWith: number | undefined
const interruptedWith = () => stoppedWith ?? exitCodes.interrupted
process.on("SIGINT", () => (stoppedWith ??= exitCodes.interrupted))
process.on("SIGTERM", () => (stoppedWith ??= exitCodes.terminated))
/** Stops as SIGTERM does, with everything given back, and another exit code. */
const stopWith = (code: number) => {
  stoppedWith ??= code
  process.emit("SIGTERM", "SIGTERM")
}
process.on("SIGHUP", () => stopWith(exitCodes.hungUp))

// Output piped into `head` ends when head does; that is no failure. A terminal that closed takes no more words.
let readerGone = false
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (stream !== process.stdout || error.code !== "EPIPE" || readerGone) return
    readerGone = true
    stopWith(exitCodes.done)
  })
}

const say = (text: string) => Console.error(`gbrain: ${printable(text)}`)

const usage = (error: CliError.ShowHelp) =>
  Effect.gen(function* () {
    if (error.errors.length === 0) return exitCodes.done
    for (const problem of error.errors) yield* say(wordsFor(problem))
    yield* Console.error(`See: ${error.commandPath.join(" ")} --help`)
    return exitCodes.usage
  })

// Our own flags say in full what they take; the parser's words around that add nothing.
const wordsFor = (problem: CliError.CliError): string =>
  problem._tag === "InvalidValue" && problem.expected.startsWith("--") ? problem.expected : problem.message

// A wrong flag deserves one line, not the whole page of help before it.
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation" ? Effect.void : CliOutput.defaultPresenter.present(event)
})

const tell = (cause: Cause.Cause<unknown>) =>
  Effect.gen(function* () {
    if (Cause.hasInterruptsOnly(cause)) return interruptedWith()
    const error = Option.getOrUndefined(Cause.findErrorOption(cause))
    if (debug) yield* Console.error(Cause.pretty(cause))
    if (error instanceof Ended) return error.code
    if (isWrongUsage(error)) return yield* Effect.as(say(error.message), exitCodes.usage)
    if (CliError.isCliError(error)) {
      return error._tag === "ShowHelp"
        ? yield* usage(error)
        : yield* Effect.as(say(error.message), exitCodes.usage)
    }
    if (SqlError.isSqlError(error)) yield* say(`the database failed: ${reasonOf(error)}`)
    else if (error instanceof Error) yield* say(error.message)
    else {
      const squashed = Cause.squash(cause)
      const what = squashed instanceof Error ? squashed.message : String(squashed)
      yield* say(`something unexpected happened: ${what}. This is a bug; GBRAIN_DEBUG=1 shows where.`)
    }
    return exitCodes.failed
  })

// Who stops a command before its report is told at least that there is none: silence would look like a crash.
let hasAnswered = false
const answers: Console.Console = Object.assign(Object.create(globalThis.console), {
  log: (...words: ReadonlyArray<unknown>) => {
    hasAnswered = true
    globalThis.console.log(...words)
  }
})
const tellStopped = Effect.suspend(() =>
  hasAnswered || interruptedWith() === exitCodes.done
    ? Effect.void
    : say("stopped before there was anything to report.")
)

const program = Command.runWith(gbrain, { version })(args).pipe(
  Effect.provide(presenter),
  // Standard output is for results.
  Effect.provideService(Logger.LogToStderr, true),
  Effect.onInterrupt(() => tellStopped),
  Effect.provideService(Console.Console, answers),
  Effect.withTracerEnabled(debug),
  Effect.provide(Settings.layer.pipe(Layer.provideMerge(NodeServices.layer)))
)

NodeRuntime.runMain(
  program.pipe(
    Effect.exit,
    Effect.flatMap((exit) => (Exit.isSuccess(exit) ? Effect.succeed(exitCodes.done) : tell(exit.cause))),
    Effect.map((code) => {
      process.exitCode = code
      return code
    })
  ),
  {
    disableErrorReporting: true,
    teardown: (exit, onExit) =>
      onExit(Exit.isSuccess(exit) ? Number(process.exitCode ?? 0) : interruptedWith())
  }
)
