/**
 * Who a name means. A fact is attached to a page of the brain only when the name leads to exactly one: by its slug, by an
 * alias, by its title, or by the last part of a slug. Anything else stays unattached, since a fact about an entity that
 * does not exist is found by nobody, and one about the wrong entity is worse.
 */
import { Cache, Context, Duration, Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { normalAlias } from "../domain/Aliases.ts"
import { conversationTypes, pageTypesOf } from "../domain/ConversationPages.ts"
import { entitySlug } from "../domain/EntityName.ts"
import { resilient } from "./database/Resilience.ts"
import { successesFor } from "./successesFor.ts"

/** Looks entities up. */
export class Entities extends Context.Service<
  Entities,
  {
    /**
     * The slug of the one page of `sourceId` that `name` (a slug or a display name) means; none when there is none, or more than
     * one. Answers are remembered for a while, the most used ten thousand of them.
     */
    readonly resolve: (
      sourceId: string,
      name: string
    ) => Effect.Effect<Option.Option<string>, SqlError.SqlError>
  }
>()("gbrain/Entities") {
  /** Entities of the open brain. */
  static readonly layer = Layer.effect(
    Entities,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      // Pages that quote people are not the people.
      const notEntities = [...pageTypesOf(conversationTypes), "extract_receipt", "code", "image"]

      const lookUp = (sourceId: string, name: string) => {
        const slug = entitySlug(name)
        // The ways to a page, the surest first; the first way that leads anywhere decides, if it leads to one page only.
        return sql<{ readonly way: number; readonly slug: string }>`
          select 1 as way, slug from pages
            where source_id = ${sourceId} and deleted_at is null and slug = any(${[name, slug]}::text[])
          union all
          select 2, page.slug from page_aliases alias join pages page
            on page.source_id = alias.source_id and page.slug = alias.slug and page.deleted_at is null
            where alias.source_id = ${sourceId} and alias.alias_norm = ${normalAlias(name)}
          union all
          select 3, slug from pages
            where source_id = ${sourceId} and deleted_at is null and type <> all(${notEntities}::text[])
              and slug = any(${entityFolders.map((folder) => `${folder}/${slug}`)}::text[])
          union all
          (select 4, slug from pages
            where source_id = ${sourceId} and deleted_at is null and type <> all(${notEntities}::text[])
              and title ilike ${likeExactly(name)} limit 2)
          order by way`.pipe(
          resilient,
          Effect.map((rows) => {
            const best = rows.filter((row) => row.way === rows[0]?.way)
            const slugs = new Set(best.map((row) => row.slug))
            const [only] = slugs
            return slugs.size === 1 ? Option.fromUndefinedOr(only) : Option.none<string>()
          })
        )
      }

      const cache = yield* Cache.makeWith(
        (key: string) => {
          const separator = key.indexOf("\n")
          return lookUp(key.slice(0, separator), key.slice(separator + 1))
        },
        { capacity: 10_000, timeToLive: successesFor(Duration.minutes(5)) }
      )

      return Entities.of({
        resolve: (sourceId, name) => {
          const trimmed = name.replace(/\s+/g, " ").trim()
          return trimmed === "" ? Effect.succeed(Option.none()) : Cache.get(cache, `${sourceId}\n${trimmed}`)
        }
      })
    })
  )
}

/** Where brains keep pages about people and things; a bare name is looked for in each. */
const entityFolders = [
  "people",
  "companies",
  "projects",
  "concepts",
  "deals",
  "organizations",
  "products",
  "places"
]

// The trigram index on titles serves ILIKE; the characters that it gives a meaning to are taken literally.
const likeExactly = (name: string): string => name.replace(/[\\%_]/g, (character) => `\\${character}`)
