/** `gbrain search` and `gbrain query`: what the brain knows about something, by words, or by words and meaning. */
import { Console, Effect, Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Money from "../../domain/Money.ts"
import type { BadQuestion } from "../../domain/search/Question.ts"
import { queryLayer, searchLayer } from "../../programs/search/layer.ts"
import { defaultLimit, type SearchOptions } from "../../programs/search/options.ts"
import type { SearchReport } from "../../programs/search/report.ts"
import { query, search } from "../../programs/search/search.ts"
import { UsageError } from "../exit.ts"
import { dollars, json, locationFlags, optionalCount, optionalText } from "../flags.ts"
import { openBrain } from "../open.ts"
import { hitsText } from "../render/search.ts"
import { printable, printJson } from "../render/text.ts"

/** A question costs a few thousandths of a cent; this is room for the dearest model. */
const defaultCap = Option.getOrThrow(Money.parseUsd("0.01"))

/** Statements that one question has in flight. */
const connections = 2

const shared = {
  text: Argument.String("text").pipe(
    Argument.withDescription('Words, "words in this order", -without'),
    Argument.variadic(),
    Argument.map((words) => words.join(" "))
  ),
  source: optionalText("source", "ID", "One source; all that are not archived unless told").pipe(
    Flag.withAlias("source-id")
  ),
  type: optionalText(
    "type",
    "LIST",
    "Only pages of these types, separated by commas, and facts from them"
  ).pipe(
    Flag.map((list) =>
      Option.match(list, {
        onNone: (): ReadonlyArray<string> => [],
        onSome: (text) =>
          text
            .split(",")
            .map((type) => type.trim())
            .filter((type) => type !== "")
      })
    )
  ),
  limit: optionalCount("limit", `At most so many hits; ${defaultLimit} unless told`).pipe(
    Flag.map((limit) => Option.getOrElse(limit, () => defaultLimit))
  ),
  json,
  ...locationFlags
}

interface Flags {
  readonly text: string
  readonly source: Option.Option<string>
  readonly type: ReadonlyArray<string>
  readonly limit: number
  readonly json: boolean
}

const optionsOf = (flags: Flags): SearchOptions => ({
  text: flags.text,
  sourceId: flags.source,
  types: flags.type,
  limit: flags.limit,
  visibility: "all"
})

const tell = Effect.fnUntraced(function* (report: SearchReport, flags: Flags) {
  const say = (text: string) => Console.error(printable(text))
  if (report.fallback !== null) yield* say(`Answered by words alone, without meaning: ${report.fallback}`)
  for (const note of report.notes) yield* say(note)
  if (flags.json) return yield* printJson(report)
  if (report.hits.length > 0) return yield* Console.log(hitsText(report.hits))
  const ofType = flags.type.length === 0 ? "" : ` on pages of type ${flags.type.join(" or ")}`
  yield* say(`Nothing was found${ofType}. Fewer or other words may help; gbrain status shows what there is.`)
})

// What is wrong with the words is wrong usage: nothing was looked for.
const usage = ({ message }: BadQuestion) => new UsageError({ message })

export const searchCommand = Command.make("search", shared, (flags) =>
  search(optionsOf(flags)).pipe(
    Effect.flatMap((report) => tell(report, flags)),
    Effect.catchTag("BadQuestion", usage),
    Effect.provide(searchLayer.pipe(Layer.provideMerge(openBrain(flags, connections))))
  )
).pipe(
  Command.withDescription("Find pages and facts by words and names. Needs no key and costs nothing"),
  Command.withExamples([
    { command: "gbrain search seed round", description: "What says most about both words" },
    {
      command: `gbrain search '"listening post" -battery' --type project,meeting`,
      description: "Words in this order, without another, on pages of two types"
    }
  ])
)

export const queryCommand = Command.make(
  "query",
  {
    ...shared,
    maxCostUsd: dollars(
      "max-cost-usd",
      "Most dollars that embedding the question may cost. 0.01 unless told"
    ).pipe(Flag.withDefault(defaultCap))
  },
  (flags) =>
    query(optionsOf(flags)).pipe(
      Effect.flatMap((report) => tell(report, flags)),
      Effect.catchTag("BadQuestion", usage),
      Effect.provide(
        queryLayer({ cap: Option.some(flags.maxCostUsd) }).pipe(
          Layer.provideMerge(openBrain(flags, connections))
        )
      ),
      Effect.scoped
    )
).pipe(
  Command.withDescription(
    "Ask a question in plain words: pages and facts by words, names and meaning together. Without a key it answers by words alone"
  ),
  Command.withExamples([
    { command: 'gbrain query "Who pays for the boat?"', description: "Pages and facts that answer" },
    {
      command: 'gbrain query "what did we promise in spring" --source work --limit 5 --json',
      description: "Five hits from one source, for a program"
    }
  ])
)
