/** `doctor`: whether a brain and what it needs are in order, each finding with the way to mend it. */
import { Effect, Option, SemVer } from "effect"
import { SqlClient } from "effect/sql"
import { Brain, halfvecSince, pgvectorVersion } from "../../services/Brain.ts"
import { type Check, fail, ok, warn } from "./Check.ts"
import { backlog, extractionSwitch, facts } from "./conversations.ts"
import { models } from "./models.ts"
import { jobs, leases } from "./processes.ts"
import { embeddings, migration, widths } from "./vectors.ts"

/** Examines the open brain and its surroundings. */
export const examine = Effect.fn("examine")(function* () {
  const brain = yield* Brain
  const found = yield* Effect.all([
    finding(database),
    finding(pgvector),
    finding(widths),
    finding(embeddings),
    finding(migration),
    finding(backlog),
    finding(facts),
    finding(leases),
    finding(jobs),
    finding(extractionSwitch),
    finding(models)
  ])
  return { brain: brain.label, checks: found.flat() }
})

// A check that cannot be made is a finding too: the others are still worth having.
const finding = <E, R>(check: Effect.Effect<Check | ReadonlyArray<Check>, E, R>) =>
  Effect.catch(check, (error) =>
    Effect.succeed(fail("check", `a check failed: ${error instanceof Error ? error.message : String(error)}`))
  )

const database = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const brain = yield* Brain
  const [row] = yield* sql<{ readonly version: string }>`select current_setting('server_version') as version`
  const version = row?.version ?? "unknown"
  return Number.parseInt(version, 10) >= 15
    ? ok("database", `${brain.label}, PostgreSQL ${version}`)
    : fail("database", `PostgreSQL ${version} is too old`, "upgrade to PostgreSQL 15 or newer")
})

const pgvector = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const version = yield* pgvectorVersion(sql)
  if (Option.isNone(version)) return fail("pgvector", "the extension is missing", "create extension vector;")
  const text = SemVer.format(version.value)
  return SemVer.isLessThan(version.value, halfvecSince)
    ? warn(
        "pgvector",
        `${text} has no halfvec`,
        "alter extension vector update; -- after installing pgvector 0.7 or newer"
      )
    : ok("pgvector", text)
})
