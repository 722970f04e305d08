/**
 * Pages that an import writes and whose links and timelines it has not made yet. They are noted before they are written, so that an
 * import which is stopped between the two is finished by the next one. What the brain is set to leave to `extract` is not noted.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { resilient } from "./database/Resilience.ts"
import type { ImportOrigin } from "./PageWriter.ts"

/** Pages whose links and timelines are to be made. */
export class Underived extends Context.Service<
  Underived,
  {
    /** Notes pages that are about to be written. */
    readonly note: (
      origin: ImportOrigin,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<void, SqlError.SqlError>
    /** What imports of a folder noted and did not do. A page that was not written after all has no kind. */
    readonly of: (
      origin: ImportOrigin
    ) => Effect.Effect<
      ReadonlyArray<{ readonly slug: string; readonly kind: string | null }>,
      SqlError.SqlError
    >
    /** Pages are done. */
    readonly done: (pageIds: ReadonlyArray<number>) => Effect.Effect<void, SqlError.SqlError>
    /** Forgets notes about pages that are not there, or have nothing to be made of, as those of code. */
    readonly tidy: (origin: ImportOrigin) => Effect.Effect<void, SqlError.SqlError>
  }
>()("gbrain/Underived") {
  /** Of the open brain. */
  static readonly layer = Layer.effect(
    Underived,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      return Underived.of({
        note: (origin, slugs) =>
          slugs.length === 0
            ? Effect.void
            : Effect.asVoid(
                resilient(sql`
                  insert into gbrain_effect.pages_underived (source_id, slug, directory)
                  select ${origin.sourceId}, slug, ${origin.directory} from unnest(${slugs}::text[]) as slug
                  on conflict (source_id, slug) do update set directory = excluded.directory`)
              ),
        of: (origin) =>
          resilient(sql<{ readonly slug: string; readonly kind: string | null }>`
            select noted.slug, page.page_kind as kind from gbrain_effect.pages_underived noted
            left join pages page on page.source_id = noted.source_id and page.slug = noted.slug and page.deleted_at is null
            where noted.source_id = ${origin.sourceId} and noted.directory = ${origin.directory} order by noted.slug`),
        done: (pageIds) =>
          pageIds.length === 0
            ? Effect.void
            : Effect.asVoid(
                resilient(sql`
                  delete from gbrain_effect.pages_underived noted using pages page
                  where page.id = any(${pageIds}::int[]) and noted.source_id = page.source_id and noted.slug = page.slug`)
              ),
        tidy: (origin) =>
          Effect.asVoid(
            resilient(sql`
              delete from gbrain_effect.pages_underived noted
              where noted.source_id = ${origin.sourceId} and noted.directory = ${origin.directory} and not exists (
                select 1 from pages page where page.source_id = noted.source_id and page.slug = noted.slug
                  and page.page_kind = 'markdown' and page.deleted_at is null)`)
          )
      })
    })
  )
}
