/**
 * The tables that only we need, in a schema of our own, so that gbrain's never change. Dropping the schema loses nothing of
 * the brain, only what makes reruns cheap.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

/** Creates our schema and tables. */
export const createOwnTables = (sql: SqlClient.SqlClient) =>
  Effect.forEach(
    [
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
      // Who wants how much of a provider's allowance; `per_minute` is null for as much as there is.
      sql`create table if not exists gbrain_effect.rate_shares (
        key text not null,
        host text not null,
        pid integer not null,
        per_minute float8 not null,
        paused_until timestamptz not null,
        seen_at timestamptz not null,
        primary key (key, host, pid)
      )`,
      sql`create index if not exists runs_started_at on gbrain_effect.runs (started_at desc)`
    ],
    (statement) => statement,
    { discard: true }
  )
