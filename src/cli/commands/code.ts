/** `gbrain edges-backfill`, `code-callers` and `code-callees`: what code says of other code. */
import { Console, Effect, Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { edgesOfSymbol } from "../../programs/code/callers.ts"
import { edgesBackfill } from "../../programs/edges/edgesBackfill.ts"
import { edgesLayer } from "../../programs/edges/layer.ts"
import { Sources } from "../../services/Sources.ts"
import { UsageError } from "../exit.ts"
import { json, locationFlags, optionalCount, optionalText } from "../flags.ts"
import { brainFor, openBrain } from "../open.ts"
import { edgesText, symbolEdgesText } from "../render/code.ts"
import { print, printJson } from "../render/text.ts"
import { sweepFlags, tellSweep } from "../sweep.ts"

const whichSources = {
  source: optionalText("source", "ID", "One source; all that are not archived unless told"),
  allSources: Flag.Boolean("all-sources").pipe(
    Flag.withDescription("All sources that are not archived, said plainly"),
    Flag.withDefault(false)
  )
}

const sourceOf = (flags: { readonly source: Option.Option<string>; readonly allSources: boolean }) =>
  flags.allSources && Option.isSome(flags.source)
    ? Effect.fail(
        new UsageError({ message: "--source names one and --all-sources means all; give one of them." })
      )
    : Effect.succeed(flags.source)

export const edgesBackfillCommand = Command.make(
  "edges-backfill",
  {
    ...whichSources,
    maxChunks: optionalCount("max-chunks", "Look at so many chunks at most; the next run goes on there"),
    ...sweepFlags
  },
  Effect.fn(function* (flags) {
    const sourceId = yield* sourceOf(flags)
    yield* tellSweep(flags, edgesText, (tell) =>
      edgesBackfill({ sourceId, maxChunks: flags.maxChunks, dryRun: flags.dryRun }, tell)
    ).pipe(Effect.provide(edgesLayer({ workers: flags.workers })), Effect.provide(brainFor(flags)))
  })
).pipe(
  Command.withDescription("Find out which symbols the names mean that code calls, imports and extends"),
  Command.withExamples([
    { command: "gbrain edges-backfill --workers 4", description: "All code that is new or changed" },
    { command: "gbrain edges-backfill --source app --max-chunks 2000", description: "A part of one source" }
  ])
)

/** gbrain's default. */
const defaultLimit = 100

const reader = (direction: "callers" | "callees", nothing: string) =>
  Command.make(
    `code-${direction}`,
    {
      symbol: Argument.String("symbol").pipe(
        Argument.withDescription("The symbol, such as parseInput or Users.render")
      ),
      ...whichSources,
      limit: optionalCount("limit", `So many at most; ${defaultLimit} unless told`),
      json,
      ...locationFlags
    },
    Effect.fn(function* (flags) {
      const sourceId = yield* sourceOf(flags)
      yield* Effect.gen(function* () {
        const found = yield* edgesOfSymbol(flags.symbol, {
          direction,
          sourceId,
          limit: Option.getOrElse(flags.limit, () => defaultLimit)
        })
        if (flags.json) {
          const { edges, ...rest } = found
          return yield* printJson({ ...rest, count: edges.length, [direction]: edges })
        }
        if (found.edges.length === 0) return yield* Console.error(`${flags.symbol} ${nothing}`)
        yield* print(symbolEdgesText(found, direction))
      }).pipe(Effect.provide(Layer.provideMerge(Sources.layer, openBrain(flags))))
    })
  )

export const codeCallers = reader(
  "callers",
  "is called by nothing that is known. gbrain edges-backfill finds out what names mean."
).pipe(
  Command.withDescription("Show which code calls, imports or extends a symbol"),
  Command.withExamples([{ command: "gbrain code-callers Users.render", description: "Who calls one method" }])
)

export const codeCallees = reader(
  "callees",
  "calls nothing that is known. gbrain edges-backfill finds out what names mean."
).pipe(
  Command.withDescription("Show what a symbol calls"),
  Command.withExamples([
    { command: "gbrain code-callees parseInput", description: "What one function calls" }
  ])
)
