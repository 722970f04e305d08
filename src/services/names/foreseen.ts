/**
 * The names that a run would bring up to date, for one that writes nothing: those that are not in the table yet are kept in memory for
 * as long as the run lasts, and stand in place of the ones they would replace.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { resilient } from "../database/Resilience.ts"
import type { NamedRef } from "../PageNames.ts"

/** Names that came up since the table was brought up to date. */
export interface Foreseen {
  /** Names of pages, instead of or besides the ones that the table has. */
  readonly among: (sourceIds: ReadonlyArray<string>, names: ReadonlyArray<string>) => ReadonlyArray<NamedRef>
  /** Whether a row of the table would be replaced. */
  readonly replaces: (row: { readonly id: number; readonly way: number }) => boolean
  /** Pages that wait for one of the names. */
  readonly woken: ReadonlyArray<number>
}

/** Finds out which names there would be. `current` are the names as they are now, `stored` and `waiting` our tables. */
export const foresee = Effect.fn("foresee")(function* (
  sql: SqlClient.SqlClient,
  from: {
    readonly current: Statement.Fragment
    readonly stored: Statement.Fragment
    readonly waiting: Statement.Fragment
  }
) {
  const byName = new Map<string, Array<NamedRef>>()
  const replaced = new Set<string>()
  const woken = new Set<number>()
  for (let after = 0; ;) {
    const rows = yield* resilient(sql<{
      id: number
      source_id: string
      slug: string
      name: string
      way: number
    }>`
      with page as (
        select id, source_id, slug, title from pages where deleted_at is null and id > ${after} order by id limit ${pagesAtOnce}
      ), last as (select max(id) as id from page), names as (${from.current})
      select names.page_id as id, page.source_id, page.slug, names.name, names.way
      from names join page on page.id = names.page_id
      left join ${from.stored} old on old.page_id = names.page_id and old.way = names.way
      where old.name is distinct from names.name or old.source_id is distinct from names.source_id
      union all select last.id, '', '', '', ${lastPage} from last where last.id is not null`)
    const last = rows.find((row) => row.way === lastPage)
    if (last === undefined) break
    after = last.id
    const fresh = rows.filter((row) => row.way !== lastPage)
    for (const { source_id: sourceId, ...row } of fresh) {
      replaced.add(keyOf(row))
      const key = `${sourceId}\n${row.name}`
      const there = byName.get(key)
      if (there === undefined) byName.set(key, [{ ...row, sourceId }])
      else there.push({ ...row, sourceId })
    }
    const waiting = yield* resilient(sql<{ readonly id: number }>`
      select distinct page_id as id from ${from.waiting} waiting where name = any(${fresh.map((row) => row.name)}::text[])`)
    for (const { id } of waiting) woken.add(id)
  }
  return {
    among: (sourceIds, names) =>
      sourceIds.flatMap((sourceId) => names.flatMap((name) => byName.get(`${sourceId}\n${name}`) ?? [])),
    replaces: (row) => replaced.has(keyOf(row)),
    woken: [...woken]
  } satisfies Foreseen
})

const keyOf = ({ id, way }: { readonly id: number; readonly way: number }): string => `${id} ${way}`

const pagesAtOnce = 20_000

/** Marks the row that tells how far a statement came; no way of a name. */
const lastPage = -1
