/** `gbrain sources`: where pages come from. */
import { Console, Effect, FileSystem, Layer, Option, Path } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Sources } from "../../services/Sources.ts"
import type { LocationFlags } from "../../services/Settings.ts"
import { json, locationFlags, optionalText } from "../flags.ts"
import { openBrain } from "../open.ts"
import { plural } from "../render/sweep.ts"
import { printJson, table } from "../render/text.ts"
import { confirmLoss } from "../spending.ts"

const id = Argument.String("id").pipe(Argument.withDescription("Id of the source"))

// gbrain's rule; it refuses to work on sources with other ids.
const newId = id.pipe(
  Argument.filter(
    (text) => /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(text),
    () => "an id of 1 to 32 small letters, digits and inner hyphens"
  )
)

const withSources = (flags: LocationFlags) =>
  Effect.provide(Sources.layer.pipe(Layer.provideMerge(openBrain(flags))))

const list = Command.make("list", { json, ...locationFlags }, (flags) =>
  Effect.gen(function* () {
    const all = yield* (yield* Sources).all
    if (flags.json) return yield* printJson(all)
    yield* Console.log(
      table(
        ["id", "name", "pages", "folder"],
        all.map((source) => [
          source.id,
          source.archived ? `${source.name} (archived)` : source.name,
          String(source.pages),
          source.localPath ?? ""
        ])
      )
    )
  }).pipe(withSources(flags))
).pipe(Command.withDescription("List the sources"))

const add = Command.make(
  "add",
  {
    id: newId,
    name: optionalText("name", "NAME", "Its name; its id unless told"),
    directory: optionalText("directory", "DIR", "The folder its files are in"),
    ...locationFlags
  },
  (flags) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      // Whoever asks for it later may be in another folder.
      const directory = Option.map(flags.directory, (told) => path.resolve(told))
      yield* (yield* Sources).add({
        id: flags.id,
        name: Option.getOrElse(flags.name, () => flags.id),
        localPath: directory
      })
      if (Option.isSome(directory) && !(yield* fs.exists(directory.value)))
        yield* Console.error(`There is no folder ${directory.value} yet.`)
      yield* Console.log(`Added the source ${flags.id}. Next: gbrain import DIR --source ${flags.id}`)
    }).pipe(withSources(flags))
).pipe(Command.withDescription("Add a source"))

const yes = Flag.Boolean("yes").pipe(
  Flag.withAlias("y"),
  Flag.withDescription("Do not ask before pages are removed"),
  Flag.withDefault(false)
)

const remove = Command.make("remove", { id, yes, ...locationFlags }, (flags) =>
  Effect.gen(function* () {
    const sources = yield* Sources
    const found = (yield* sources.all).find((source) => source.id === flags.id)
    if (found !== undefined && found.pages > 0 && flags.id !== "default")
      yield* confirmLoss(
        flags.yes,
        `The source ${flags.id} has ${plural(found.pages, "page")}. ${found.pages === 1 ? "It goes" : "They go"}, and what was derived from ${found.pages === 1 ? "it" : "them"}, with what was paid for.`
      )
    const pages = yield* sources.remove(flags.id)
    yield* Console.log(
      `Removed the source ${flags.id} with its ${plural(pages, "page")} and what was derived from ${pages === 1 ? "it" : "them"}.`
    )
  }).pipe(withSources(flags))
).pipe(Command.withDescription("Remove a source, its pages, and what was derived from them"))

export const sources = Command.make("sources").pipe(
  Command.withDescription("List, add and remove the sources of pages"),
  Command.withExamples([
    { command: "gbrain sources list", description: "See all" },
    { command: 'gbrain sources add work --name "Work notes"', description: "Keep pages of a kind apart" }
  ]),
  Command.withSubcommands([list, add, remove])
)
