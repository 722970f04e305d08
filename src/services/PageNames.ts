/**
 * How pages are called: by slug, by the last part of it, by an alias, by title. Everything is looked up for many references at
 * once, in the database: a brain's slugs are never all in memory. The names are kept in a table of ours, which is brought up
 * to date before links are extracted; whoever waited for a name that came up is to be extracted again.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Write } from "./database/joinedWrites.ts"
import { lookingAt } from "./database/lookingAtOwnTables.ts"
import { resilient } from "./database/Resilience.ts"
import { smallLetters } from "./names/smallLetters.ts"
import { type Foreseen, foresee } from "./names/foreseen.ts"
import { takeTurn, turns } from "./database/turns.ts"

/** A page that something may lead to. */
export interface PageRef {
  readonly id: number
  readonly sourceId: string
  readonly slug: string
}

/** How sure a name is; smaller is surer. */
export const ways = { slugPart: 1, alias: 2, title: 3 } as const

/** A page that has a name. */
export interface NamedRef extends PageRef {
  readonly name: string
  readonly way: number
}

/** A name to compare with titles, in one source and folder (`""` is any). */
export interface SimilarName {
  readonly sourceId: string
  readonly name: string
  readonly folder: string
}

/** Finds pages by what they are called. */
export class PageNames extends Context.Service<
  PageNames,
  {
    /** Brings the names up to date; answers the pages whose links must be extracted again since a name came up. */
    readonly refresh: Effect.Effect<ReadonlyArray<number>, SqlError.SqlError>
    /** The same for a run that writes nothing: from here on it finds pages as if the names were up to date. */
    readonly foresee: Effect.Effect<ReadonlyArray<number>, SqlError.SqlError>
    /** Pages by slug. A slug that a page once had leads to it as well, unless another page has it now. */
    readonly bySlug: (
      sourceIds: ReadonlyArray<string>,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<PageRef & { readonly asked: string }>, SqlError.SqlError>
    /** Pages by name, in small letters; the surest way first, then the shortest slug. */
    readonly byName: (
      sourceIds: ReadonlyArray<string>,
      names: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<NamedRef>, SqlError.SqlError>
    /** For each name the page whose title is most like it, if any is like enough; `asked` is the name's place in the list. */
    readonly similar: (
      names: ReadonlyArray<SimilarName>
    ) => Effect.Effect<ReadonlyArray<PageRef & { readonly asked: number }>, SqlError.SqlError>
    /** What notes which names the pages refer to that nothing has, in place of what was noted before. */
    readonly waits: (
      pageIds: ReadonlyArray<number>,
      waiting: ReadonlyArray<{ readonly pageId: number; readonly name: string }>
    ) => ReadonlyArray<Write>
  }
>()("gbrain/PageNames") {
  /** Names in the open brain. */
  static readonly layer = Layer.effect(
    PageNames,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const table = yield* lookingAt(sql)
      const small = yield* smallLetters(sql)
      const now = (pages: string) =>
        sql.literal(`
          select id as page_id, ${ways.slugPart}::smallint as way, source_id, ${small("split_part(slug, '/', -1)")} as name from ${pages}
          union all
          select id, ${ways.title}::smallint, source_id, ${small("btrim(title)")} from ${pages} where length(title) <= ${longestTitle}`)
      let foreseen: Foreseen | undefined

      const refresh = Effect.gen(function* () {
        // Two runs that begin together take turns: they would insert the same rows.
        yield* takeTurn(sql, turns.names)
        yield* sql`
          delete from gbrain_effect.page_names kept where not exists (
            select 1 from pages where id = kept.page_id and deleted_at is null)`
        const rows = yield* sql<{ readonly id: number }>`
          with page as (select id, source_id, slug, title from pages where deleted_at is null), names as (${now("page")}), fresh as (
            insert into gbrain_effect.page_names as kept (page_id, way, source_id, name)
            select names.* from names left join gbrain_effect.page_names old
              on old.page_id = names.page_id and old.way = names.way
            where old.name is distinct from names.name or old.source_id is distinct from names.source_id
            on conflict (page_id, way) do update set source_id = excluded.source_id, name = excluded.name
            returning kept.name
          )
          update pages set links_extracted_at = null
          where deleted_at is null and id in (
            select page_id from gbrain_effect.links_waiting where name in (select name from fresh))
          returning id`
        // Those too that were woken by a run which was stopped before it came to them.
        const left = yield* sql<{ readonly id: number }>`
          select distinct page.id from pages page join gbrain_effect.links_waiting waiting on waiting.page_id = page.id
          where page.links_extracted_at is null and page.deleted_at is null
            and exists (select 1 from gbrain_effect.page_names named where named.name = waiting.name)`
        return [...new Set([...rows, ...left].map((row) => row.id))]
      })

      return PageNames.of({
        refresh: resilient(sql.withTransaction(refresh)),
        foresee: foresee(sql, {
          current: now("page"),
          stored: table("page_names"),
          waiting: table("links_waiting")
        }).pipe(
          Effect.map((found) => {
            foreseen = found
            return found.woken
          })
        ),
        bySlug: (sourceIds, slugs) =>
          slugs.length === 0
            ? Effect.succeed([])
            : resilient(sql<{ id: number; source_id: string; slug: string; asked: string }>`
                with here as (
                  select id, source_id, slug, slug as asked from pages
                  where source_id = any(${sourceIds}::text[]) and slug = any(${slugs}::text[]) and deleted_at is null
                )
                select * from here
                union all
                select page.id, page.source_id, page.slug, alias.alias_slug from slug_aliases alias
                join pages page on page.source_id = alias.source_id and page.slug = alias.canonical_slug
                  and page.deleted_at is null
                where alias.source_id = any(${sourceIds}::text[]) and alias.alias_slug = any(${slugs}::text[])
                  and not exists (select 1 from here where here.source_id = alias.source_id and here.slug = alias.alias_slug)`).pipe(
                Effect.map((rows) =>
                  rows.map((row) => ({
                    id: row.id,
                    sourceId: row.source_id,
                    slug: row.slug,
                    asked: row.asked
                  }))
                )
              ),
        byName: (sourceIds, names) =>
          names.length === 0
            ? Effect.succeed([])
            : resilient(sql<{ id: number; source_id: string; slug: string; name: string; way: number }>`
                select * from (
                  select page.id, page.source_id, page.slug, called.name, called.way
                  from ${table("page_names")} called
                  join pages page on page.id = called.page_id and page.deleted_at is null
                  where called.source_id = any(${sourceIds}::text[]) and called.name = any(${names}::text[])
                  union all
                  select page.id, page.source_id, page.slug, alias.alias_norm, ${ways.alias}::smallint from page_aliases alias
                  join pages page on page.source_id = alias.source_id and page.slug = alias.slug and page.deleted_at is null
                  where alias.source_id = any(${sourceIds}::text[]) and alias.alias_norm = any(${names}::text[])
                ) as found order by way, length(slug), slug`).pipe(
                Effect.map((rows) => {
                  const found = rows.map((row) => ({
                    id: row.id,
                    sourceId: row.source_id,
                    slug: row.slug,
                    name: row.name,
                    way: row.way
                  }))
                  return foreseen === undefined ? found : withForeseen(found, foreseen, sourceIds, names)
                })
              ),
        similar: (names) =>
          names.length === 0
            ? Effect.succeed([])
            : resilient(sql<{ id: number; source_id: string; slug: string; asked: number }>`
                select best.id, best.source_id, best.slug, asked.place as asked
                from jsonb_to_recordset(${JSON.stringify(
                  names.map(({ folder, name, sourceId }, place) => ({
                    place,
                    name,
                    source_id: sourceId,
                    prefix: folder === "" ? "" : `${folder}/`
                  }))
                )}::jsonb) as asked(place int, source_id text, name text, prefix text)
                cross join lateral (
                  select id, source_id, slug from pages
                  where title % asked.name and similarity(title, asked.name) >= ${alikeEnough}::real
                    and starts_with(slug, asked.prefix) and source_id = asked.source_id and deleted_at is null
                  order by similarity(title, asked.name) desc, slug limit 1
                ) as best`).pipe(
                Effect.map((rows) =>
                  rows.map((row) => ({
                    id: row.id,
                    sourceId: row.source_id,
                    slug: row.slug,
                    asked: row.asked
                  }))
                )
              ),
        waits: (pageIds, waiting) => {
          const now = sql`unnest(${waiting.map((it) => it.pageId)}::int[], ${waiting.map((it) => it.name)}::text[])`
          const gone = {
            name: "waiting_gone",
            statement: sql`
              delete from gbrain_effect.links_waiting old where page_id = any(${pageIds}::int[]) and not exists (
                select 1 from ${now} as now(page_id, name) where now.page_id = old.page_id and now.name = old.name)`
          }
          const noted = {
            name: "waiting_noted",
            statement: sql`
              insert into gbrain_effect.links_waiting (page_id, name) select * from ${now} on conflict do nothing`
          }
          return [{ rows: waiting.length, steps: waiting.length === 0 ? [gone] : [gone, noted] }]
        }
      })
    })
  )
}

// In the order of the statement.
const withForeseen = (
  found: ReadonlyArray<NamedRef>,
  foreseen: Foreseen,
  sourceIds: ReadonlyArray<string>,
  names: ReadonlyArray<string>
): ReadonlyArray<NamedRef> =>
  [...found.filter((row) => !foreseen.replaces(row)), ...foreseen.among(sourceIds, names)].toSorted(
    (a, b) => a.way - b.way || a.slug.length - b.slug.length || (a.slug < b.slug ? -1 : 1)
  )

/** Longer titles are no names that anybody refers to, and no index takes the longest. */
const longestTitle = 300

/** gbrain's bound: the share of three-letter pieces that two names must have in common. */
const alikeEnough = 0.55
