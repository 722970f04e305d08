/** `gbrain facts`: what is known. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type ListedFact, listFacts } from "../../programs/facts/listFacts.ts"
import { json, locationFlags, optionalCount, optionalText } from "../flags.ts"
import { openBrain } from "../open.ts"
import { outputWidth, printJson, table } from "../render/text.ts"

export const facts = Command.make(
  "facts",
  {
    entity: optionalText("entity", "NAME", "About a person, company or project: its slug, name or alias"),
    page: optionalText("page", "SLUG", "Said on this page"),
    query: optionalText("query", "TEXT", "That contain these words"),
    sourceId: optionalText("source-id", "ID", "From one source; from all unless told"),
    limit: optionalCount("limit", "At most so many. 50 unless told").pipe(
      Flag.map((limit) => (limit._tag === "Some" ? limit.value : 50))
    ),
    json,
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const found = yield* listFacts(flags).pipe(Effect.provide(openBrain(flags)))
    if (flags.json) return yield* printJson(found)
    if (found.length === 0) {
      const place = Option.match(flags.sourceId, { onNone: () => "", onSome: (id) => ` in the source ${id}` })
      return yield* Console.error(
        `Nothing is known${place}. gbrain status shows what there is to extract from.`
      )
    }
    yield* Console.log(factsTable(found, flags.entity._tag === "None"))
  })
).pipe(
  Command.withDescription("Show what is known, newest first, with where it was said"),
  Command.withExamples([
    { command: 'gbrain facts --entity "Ana Ruiz"', description: "About one person" },
    { command: "gbrain facts --query lease", description: "That mention a word" },
    { command: "gbrain facts --source-id work --limit 10", description: "The newest of one source" }
  ])
)

const factsTable = (found: ReadonlyArray<ListedFact>, withEntity: boolean): string => {
  const widest = (title: string, texts: ReadonlyArray<string>, most: number) =>
    Math.min(most, Math.max(title.length, ...texts.map((text) => text.length)))
  const entity = withEntity
    ? widest(
        "about",
        found.map((fact) => fact.entity ?? ""),
        28
      )
    : 0
  const page = widest(
    "said on",
    found.map((fact) => fact.page ?? ""),
    44
  )
  const fixed = [10, 10, 4, page, ...(withEntity ? [entity] : [])]
  const between = 2 * (fixed.length + 1)
  const room = Math.max(24, outputWidth() - fixed.reduce((sum, width) => sum + width, between))
  const about = (text: string) => (withEntity ? [text] : [])
  return table(
    ["date", "kind", "fact", "sure", ...about("about"), "said on"],
    found.map((fact) => [
      fact.date,
      fact.kind,
      fact.fact,
      `${Math.round(fact.confidence * 100)}%`,
      ...about(fact.entity ?? ""),
      fact.also_on.length === 0 ? (fact.page ?? "") : `${fact.page ?? ""} and ${fact.also_on.length} more`
    ]),
    [10, 10, room, 4, ...(withEntity ? [entity] : []), page]
  )
}
