/**
 * The tables that only we need, in a schema of our own, so that gbrain's never change. Dropping the schema loses nothing of
 * the brain, only what makes reruns cheap.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { takeTurn, turns } from "./turns.ts"

/** Creates what is missing of our schema and tables, in any brain that was opened by any earlier version. */
export const ensureOwnTables = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const statements = ownTables(sql)
  // How many of the statements the brain has seen: they are only ever added to.
  const [schema] = yield* sql<{ readonly seen: string | null }>`
    select obj_description(to_regnamespace('gbrain_effect'), 'pg_namespace') as seen`
  if (Number(schema?.seen ?? 0) >= statements.length) return
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* takeTurn(sql, turns.migration)
      yield* Effect.forEach(statements, (statement) => statement, { discard: true })
      yield* sql.unsafe(`comment on schema gbrain_effect is '${statements.length}'`)
    })
  )
})

/** Whether the brain has our tables; one that gbrain made, and that was only looked at, has none. */
export const hasOwnTables = (sql: SqlClient.SqlClient) =>
  sql<{ readonly there: boolean }>`select to_regnamespace('gbrain_effect') is not null as there`.pipe(
    Effect.map(([row]) => row?.there === true)
  )

/** Whether the brain has one of our tables: it may have been made before the table was thought of, and only be looked at. */
export const hasOwnTable = (sql: SqlClient.SqlClient, name: string) =>
  sql<{ readonly there: boolean }>`select to_regclass(${`gbrain_effect.${name}`}) is not null as there`.pipe(
    Effect.map(([row]) => row?.there === true)
  )

const ownTables = (sql: SqlClient.SqlClient) => [
  sql`create schema if not exists gbrain_effect`,
  // Answers that were paid for, by what was asked.
  sql`create table if not exists gbrain_effect.journal_answers (
        key text primary key,
        model text not null,
        answer text not null,
        input_tokens integer not null,
        output_tokens integer not null,
        cost_picousd numeric not null,
        created_at timestamptz not null default now()
      )`,
  // Vectors that were paid for and are not committed yet. A vector without a width holds one of any.
  sql`create table if not exists gbrain_effect.journal_vectors (
        key text primary key,
        vector vector not null,
        created_at timestamptz not null default now()
      )`,
  sql`create table if not exists gbrain_effect.segment_failures (
        key text primary key,
        source_id text not null,
        slug text not null,
        attempts integer not null,
        reason text not null,
        updated_at timestamptz not null default now()
      )`,
  sql`create index if not exists segment_failures_page on gbrain_effect.segment_failures (source_id, slug)`,
  // Pages not taken again until their content changes, without a mark that gbrain would believe.
  sql`create table if not exists gbrain_effect.pages_set_aside (
        source_id text not null,
        slug text not null,
        version_token text not null,
        reason text not null,
        created_at timestamptz not null default now(),
        primary key (source_id, slug)
      )`,
  sql`create table if not exists gbrain_effect.runs (
        id bigint generated always as identity primary key,
        command text not null,
        status text not null default 'running',
        workers integer not null,
        host text not null,
        pid integer not null,
        started_at timestamptz not null default now(),
        finished_at timestamptz,
        spent_usd numeric not null default 0,
        report jsonb
      )`,
  // Who wants how much of a provider's allowance; `per_minute` is infinite for as much as there is.
  sql`create table if not exists gbrain_effect.rate_shares (
        key text not null,
        host text not null,
        pid integer not null,
        per_minute float8 not null,
        paused_until timestamptz not null,
        seen_at timestamptz not null,
        primary key (key, host, pid)
      )`,
  sql`create index if not exists runs_started_at on gbrain_effect.runs (started_at desc)`,
  // What pages are called besides their slugs: the last part of it (way 1), and the title (way 3). Looked up by links.
  sql`create table if not exists gbrain_effect.page_names (
        page_id integer not null,
        way smallint not null,
        source_id text not null,
        name text not null,
        primary key (page_id, way)
      )`,
  sql`create index if not exists page_names_name on gbrain_effect.page_names (source_id, name)`,
  // Names that a page refers to and nothing has yet; when something has, the page's links are extracted again.
  sql`create table if not exists gbrain_effect.links_waiting (
        page_id integer not null,
        name text not null,
        primary key (page_id, name)
      )`,
  sql`create index if not exists links_waiting_name on gbrain_effect.links_waiting (name)`,
  // Which timeline entries were extracted by us, and go with the words they were made of.
  sql`create table if not exists gbrain_effect.timeline_extracted (
        entry_id integer primary key,
        page_id integer not null
      )`,
  sql`create index if not exists timeline_extracted_page on gbrain_effect.timeline_extracted (page_id)`,
  // What each process holds of a day's money, and in the end what it spent.
  sql`create table if not exists gbrain_effect.ledger (
    day date not null,
    owner text not null,
    held_picousd numeric not null,
    spent_picousd numeric not null,
    heard_at timestamptz not null,
    primary key (day, owner)
  )`,
  // Of which text the chunks of a page are a cut, by which of our rules (none when gbrain cut them), and how many they are.
  sql`create table if not exists gbrain_effect.pages_chunked (
        page_id integer primary key,
        digest text not null,
        rules smallint,
        chunks integer not null
      )`,
  // When we resolved the edges of a chunk: what content_chunks.edges_backfilled_at said then.
  sql`create table if not exists gbrain_effect.edges_walked (
        chunk_id integer primary key,
        walked_at timestamptz not null,
        rules smallint not null
      )`,
  // Indexes that were dropped for the time of a large write, to be made again exactly as they were.
  sql`create table if not exists gbrain_effect.indexes_set_aside (
    name text primary key,
    table_name text not null,
    definition text not null,
    set_aside_at timestamptz not null default now()
  )`,
  // Changes of the embedding model: at most one is open. `position` is up to where each table has been embedded.
  sql`create table if not exists gbrain_effect.embedding_migrations (
    id bigint generated always as identity primary key,
    from_model text not null,
    from_dimensions integer not null,
    to_model text not null,
    to_dimensions integer not null,
    tables text[] not null,
    phase text not null,
    returning_from bigint,
    position jsonb not null default '{}',
    started_at timestamptz not null default now(),
    swapped_at timestamptz,
    ended_at timestamptz
  )`,
  sql`create unique index if not exists embedding_migrations_open on gbrain_effect.embedding_migrations ((true))
    where phase not in ('undone', 'finished')`,
  // Texts that the model of a migration refuses; one that is edited is tried again.
  sql`create table if not exists gbrain_effect.embedding_refusals (
    migration_id bigint not null,
    table_name text not null,
    row_id bigint not null,
    text_hash text not null,
    reason text not null,
    primary key (migration_id, table_name, row_id)
  )`,
  // Which model made the multimodal vectors of a chunk, and of what: the text's md5, or the file's hash and the page's number.
  sql`create table if not exists gbrain_effect.multimodal_chunks (
    chunk_id integer primary key,
    model text not null,
    fingerprint text not null
  )`,
  // Pages that are read again with --force, and since when: what was answered since then is not asked again.
  sql`create table if not exists gbrain_effect.pages_forced (
    page_id integer primary key,
    forced_at timestamptz not null default now()
  )`,
  // Pages that an import wrote, or is about to, and whose links and timelines it has not made yet.
  sql`create table if not exists gbrain_effect.pages_underived (
    source_id text not null,
    slug text not null,
    directory text not null,
    primary key (source_id, slug)
  )`,
  // What a run was asked for, where another run may have to go on with it.
  sql`alter table gbrain_effect.runs add column if not exists asked jsonb`,
  // Several runs may share a purse, with a cap of its own.
  sql`alter table gbrain_effect.ledger add column if not exists purse text`,
  sql`create index if not exists ledger_purse on gbrain_effect.ledger (purse) where purse is not null`,
  // Work handed over to whoever runs jobs. \`fence\` tells one holder of a job from the next; of those with the same \`asking\` one is alive.
  sql`create table if not exists gbrain_effect.jobs (
    id bigint generated always as identity primary key,
    command text not null,
    source_id text,
    asked jsonb not null,
    asking text not null,
    workers text not null,
    purse text not null,
    cap_picousd numeric,
    status text not null default 'waiting',
    fence integer not null default 0,
    round integer not null default 0,
    deaths integer not null default 0,
    submitted_at timestamptz not null default now(),
    dispatched_at timestamptz,
    started_at timestamptz,
    heard_at timestamptz,
    finished_at timestamptz,
    cancel_asked_at timestamptz,
    host text,
    pid integer,
    holder text,
    progress jsonb,
    report jsonb,
    error text
  )`,
  sql`create unique index if not exists jobs_alive on gbrain_effect.jobs (asking)
    where status in ('waiting', 'running') and cancel_asked_at is null`
]
