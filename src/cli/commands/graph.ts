/** `gbrain links`, `backlinks`, `graph` and `timeline`: what was extracted, page by page. */
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { graphFrom, linksOfPage } from "../../programs/graph/links.ts"
import { timelineOfPage } from "../../programs/graph/timeline.ts"
import { json, locationFlags, optionalCount, optionalText } from "../flags.ts"
import { openBrain } from "../open.ts"
import { entriesText, graphText, linksText } from "../render/graph.ts"
import { print, printJson } from "../render/text.ts"

const shared = {
  slug: Argument.String("slug").pipe(Argument.withDescription("The page, such as people/ana-ruiz")),
  sourceId: optionalText("source-id", "ID", "The source of the page; default, or the only one, unless told"),
  json,
  ...locationFlags
}

const reader = (name: "links" | "backlinks", direction: "out" | "in", nothing: string) =>
  Command.make(name, shared, (flags) =>
    Effect.gen(function* () {
      const found = yield* linksOfPage(flags.slug, { direction, sourceId: flags.sourceId })
      if (flags.json) return yield* printJson(found)
      if (found.length === 0) return yield* Console.error(`${flags.slug} ${nothing}`)
      yield* Console.log(linksText(found))
    }).pipe(Effect.provide(openBrain(flags)))
  )

export const links = reader(
  "links",
  "out",
  "links nothing that is known. gbrain extract all reads what pages say."
).pipe(
  Command.withDescription("Show what a page links, and in which words"),
  Command.withExamples([
    {
      command: "gbrain links people/noor-halloran",
      description: "Companies, people and meetings of one person"
    }
  ])
)

export const backlinks = reader(
  "backlinks",
  "in",
  "is linked by nothing that is known. gbrain extract all reads what pages say."
).pipe(
  Command.withDescription("Show what links a page, and in which words"),
  Command.withExamples([
    { command: "gbrain backlinks companies/tidewell", description: "Who speaks of one company" }
  ])
)

/** gbrain's default. */
const defaultDepth = 5

export const graph = Command.make(
  "graph",
  {
    ...shared,
    depth: optionalCount("depth", `How many links far; ${defaultDepth} unless told`).pipe(
      Flag.map((depth) => Option.getOrElse(depth, () => defaultDepth))
    )
  },
  (flags) =>
    Effect.gen(function* () {
      const found = yield* graphFrom(flags.slug, { depth: flags.depth, sourceId: flags.sourceId })
      yield* flags.json ? printJson(found) : print(graphText(found))
    }).pipe(Effect.provide(openBrain(flags)))
).pipe(
  Command.withDescription("Show what can be reached from a page by its links, each page once"),
  Command.withExamples([
    { command: "gbrain graph companies/tidewell --depth 2", description: "A company and who is around it" }
  ])
)

export const timeline = Command.make("timeline", shared, (flags) =>
  Effect.gen(function* () {
    const found = yield* timelineOfPage(flags.slug, flags.sourceId)
    if (flags.json) return yield* printJson(found)
    if (found.length === 0) {
      return yield* Console.error(
        `${flags.slug} has no timeline that is known. gbrain extract all reads what pages say.`
      )
    }
    yield* Console.log(entriesText(found))
  }).pipe(Effect.provide(openBrain(flags)))
).pipe(
  Command.withDescription("Show what happened to the subject of a page, newest first"),
  Command.withExamples([
    { command: "gbrain timeline companies/tidewell", description: "A company's history" }
  ])
)
