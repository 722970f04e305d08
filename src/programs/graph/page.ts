/** The page that a reader names. */
import { Effect, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { sourceIdsFor } from "../../services/Sources.ts"

/** No page has the slug, or several sources have one. */
export class UnknownPage extends Schema.TaggedError<UnknownPage>()("UnknownPage", {
  slug: Schema.String,
  message: Schema.String
}) {}

/** A page that is shown. */
export interface ShownPage {
  readonly id: number
  readonly source: string
  readonly slug: string
  readonly title: string
}

/** The page with a slug: in the source that is told, which must exist, else in `default`, else in the only source that has one. */
export const pageBySlug = Effect.fn("pageBySlug")(function* (slug: string, sourceId: Option.Option<string>) {
  const sql = yield* SqlClient.SqlClient
  if (Option.isSome(sourceId)) yield* sourceIdsFor(sourceId)
  const pages = yield* sql<ShownPage>`
    select id, source_id as source, slug, title from pages
    where slug = ${slug} and deleted_at is null
      and ${Option.match(sourceId, { onNone: () => sql`true`, onSome: (id) => sql`source_id = ${id}` })}
    order by source_id <> 'default', source_id`
  const [page, ...others] = pages
  if (page === undefined) return yield* unknownPage(slug, sourceId)
  if (page.source !== "default" && others.length > 0) {
    return yield* new UnknownPage({
      slug,
      message: `Several sources have a page ${slug}: ${pages.map((it) => it.source).join(", ")}. Name one with --source-id.`
    })
  }
  return page
})

/** Fails: there is no page with this slug. Says which may be meant. */
export const unknownPage = Effect.fn("unknownPage")(function* (
  slug: string,
  sourceId: Option.Option<string>
) {
  const sql = yield* SqlClient.SqlClient
  const last = slug.split("/").pop() ?? slug
  const near = yield* sql<{ readonly slug: string }>`
    select distinct slug, similarity(slug, ${slug}) as alike from pages
    where deleted_at is null and (slug like ${`%${last.replace(/[\\%_]/g, "\\$&")}`} or title % ${last})
    order by alike desc, slug limit 3`
  const place = Option.match(sourceId, { onNone: () => "", onSome: (id) => ` in the source ${id}` })
  return yield* new UnknownPage({
    slug,
    message:
      `There is no page ${slug}${place}.` +
      (near.length === 0 ? "" : ` Did you mean ${near.map((it) => it.slug).join(" or ")}?`)
  })
})
