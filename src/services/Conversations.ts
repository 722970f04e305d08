/** The conversation pages of a brain: which there are, which are done, what each says, and which were set aside or are forced. */
import { Context, Effect, Layer, Option, type Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import {
  type Candidate,
  type ConversationCounts,
  type ConversationScope,
  makeListPages
} from "./conversations/listPages.ts"
import {
  type ConversationPage,
  forModel,
  makeReadPages,
  type VersionMark
} from "./conversations/readPages.ts"
import { hasOwnTable, hasOwnTables } from "./database/ownTables.ts"
import { resilient } from "./database/Resilience.ts"

export type { Candidate, ConversationCounts, ConversationScope } from "./conversations/listPages.ts"
export type { ConversationPage, VersionMark } from "./conversations/readPages.ts"

/** Since when a page is being read again with `--force`: what was answered since then is not asked again. */
export interface Forced {
  readonly since: Date
  /** Whether that begins now. */
  readonly fresh: boolean
}

/** Conversation pages. */
export class Conversations extends Context.Service<
  Conversations,
  {
    /** The pages of the scope that need work, or all of them with `includeDone`. */
    readonly candidates: (
      scope: ConversationScope,
      options: { readonly includeDone: boolean }
    ) => Stream.Stream<Candidate, SqlError.SqlError>
    readonly count: (scope: ConversationScope) => Effect.Effect<ConversationCounts, SqlError.SqlError>
    /** Whether one of the sources has a page with this slug, of whatever type, that is not deleted. */
    readonly isThere: (
      slug: string,
      sourceIds: ReadonlyArray<string>
    ) => Effect.Effect<boolean, SqlError.SqlError>
    /** The page as it is now; none when it is gone. Bodies beyond `maxPageBytes` are not read. */
    readonly load: (id: number) => Effect.Effect<Option.Option<ConversationPage>, SqlError.SqlError>
    /** How this content of the page was marked, if it was, for a run of `model`. */
    readonly markOf: (
      page: { readonly sourceId: string; readonly slug: string },
      versionToken: string,
      model: string
    ) => Effect.Effect<Option.Option<VersionMark>, SqlError.SqlError>
    /**
     * Sets this content of the page aside, for `model` only when one is named, for a reason that is no property of the content.
     * Known to us only.
     */
    readonly setAside: (
      page: { readonly id: number; readonly sourceId: string; readonly slug: string },
      versionToken: string,
      reason: string,
      model: Option.Option<string>
    ) => Effect.Effect<void, SqlError.SqlError>
    /** Notes that a page is read again with `--force`, until it is marked or set aside. */
    readonly force: (id: number) => Effect.Effect<Forced, SqlError.SqlError>
    /** Whether it is, and since when. */
    readonly forced: (id: number) => Effect.Effect<Option.Option<Forced>, SqlError.SqlError>
  }
>()("gbrain/Conversations") {
  /** Conversations of the open brain. */
  static readonly layer = Layer.effect(
    Conversations,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* hasOwnTables(sql)
      const forces = yield* hasOwnTable(sql, "pages_forced")

      return Conversations.of({
        ...makeListPages(sql, { setAside: ours, forced: forces }),
        ...makeReadPages(sql, { setAside: ours }),
        isThere: (slug, sourceIds) =>
          resilient(sql`
            select 1 from pages where slug = ${slug} and source_id = any(${sourceIds}::text[]) and deleted_at is null
            limit 1`).pipe(Effect.map((rows) => rows.length > 0)),
        setAside: ({ id, slug, sourceId }, versionToken, reason, model) =>
          resilient(sql`
            with unforced as (delete from gbrain_effect.pages_forced where page_id = ${id})
            insert into gbrain_effect.pages_set_aside (source_id, slug, version_token, reason)
            values (${sourceId}, ${slug}, ${versionToken + Option.match(model, { onNone: () => "", onSome: forModel })}, ${reason})
            on conflict (source_id, slug) do update set version_token = excluded.version_token, reason = excluded.reason,
              created_at = clock_timestamp()`).pipe(Effect.asVoid),
        force: Effect.fnUntraced(function* (id) {
          const [row] = yield* resilient(sql<Forced>`
            with new as (
              insert into gbrain_effect.pages_forced (page_id) values (${id}) on conflict do nothing returning forced_at
            )
            select forced_at as since, true as fresh from new
            union all select forced_at, false from gbrain_effect.pages_forced where page_id = ${id}`)
          return yield* Effect.orDie(Effect.fromNullishOr(row))
        }),
        forced: (id) =>
          forces
            ? resilient(sql<Forced>`
                select forced_at as since, false as fresh from gbrain_effect.pages_forced where page_id = ${id}`).pipe(
                Effect.map((rows) => Option.fromUndefinedOr(rows[0]))
              )
            : Effect.succeed(Option.none())
      })
    })
  )
}
