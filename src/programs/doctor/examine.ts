/** `doctor`: whether a brain and what it needs are in order, each finding with the way to mend it. */
import { Effect, Option, Result, Schema, SemVer } from "effect"
import { SqlClient } from "effect/sql"
import { defaultWidth, widthProblem } from "../../domain/EmbeddingDimensions.ts"
import { Brain, halfvecSince, pgvectorVersion } from "../../services/Brain.ts"
import { BrainConfig, embeddingSettings, isSwitchedOff } from "../../services/BrainConfig.ts"
import {
  migrationCommand,
  vectorColumns,
  vectorColumnTypes,
  widthMismatch
} from "../../services/EmbeddingWidth.ts"
import { isSupersededIndexed, supersededIndexByHand } from "../../services/facts/supersededIndex.ts"
import { HostProcess } from "../../services/HostProcess.ts"
import { openMigration } from "../../services/migration/state.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { Prices, unpriced } from "../../services/Prices.ts"
import { chunksWithoutVectors, indexesToBuild } from "../embed/backlog.ts"
import { conversationBacklog } from "../extract-conversation-facts/backlog.ts"
import { resolveChatModel } from "../extract-conversation-facts/layer.ts"

/** A finding. */
export const Check = Schema.Struct({
  name: Schema.String,
  status: Schema.Literals(["ok", "warn", "fail"]),
  message: Schema.String,
  /** The statement or command that mends it. */
  fix: Schema.NullOr(Schema.String)
})

/** A finding. */
export type Check = typeof Check.Type

const ok = (name: string, message: string): Check => ({ name, status: "ok", message, fix: null })
const warn = (name: string, message: string, fix: string | null = null): Check => ({
  name,
  status: "warn",
  message,
  fix
})
const fail = (name: string, message: string, fix: string | null = null): Check => ({
  name,
  status: "fail",
  message,
  fix
})

/** A backlog up to this is the ordinary state of a brain that grows; gbrain's value. */
const smallBacklog = 10

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

const widths = Effect.gen(function* () {
  const { dimensions, model } = yield* embeddingSettings(yield* BrainConfig)
  const columns = yield* vectorColumns()
  const types = yield* vectorColumnTypes()
  // gbrain's names for the two.
  const nameOf = (table: string) => `${table === "facts" ? "facts_" : ""}embedding_width_consistency`
  const gone = (["facts", "content_chunks"] as const).filter(
    (table) => !types.some((column) => column.table === table)
  )
  const unknown = types.filter(({ table }) => !columns.some((column) => column.table === table))
  if (gone.length > 0) {
    return gone.map((table) =>
      fail(
        "facts_embedding_width_consistency",
        `${table} has no column for vectors; it went with pgvector`,
        `create extension if not exists vector;\nalter table ${table} add column if not exists embedding vector(${dimensions});`
      )
    )
  }
  const problem = widthProblem(model, dimensions)
  if (Option.isSome(problem)) {
    return fail(
      "embedding_width_possible",
      `embedding_dimensions is ${dimensions}: ${problem.value}`,
      `gbrain config set embedding_dimensions ${Option.getOrElse(defaultWidth(model), () => dimensions)}`
    )
  }
  const unrecognised = unknown.map(({ table, type }) =>
    warn(
      nameOf(table),
      `${table}.embedding is of the type ${type}, which is not recognised: halfvec(N) or vector(N) is`
    )
  )
  const known = columns.map((column) => {
    const name = nameOf(column.table)
    if (column.dimensions === dimensions) {
      return ok(name, `${column.table} ${column.type}(${column.dimensions}), as ${model} makes them`)
    }
    const mismatch = widthMismatch(column, dimensions, model)
    return fail(
      name,
      `${mismatch.column} is ${column.type}(${column.dimensions}), ${model} is configured for ${dimensions}`,
      `${migrationCommand(model, dimensions)}\n-- or, dropping the vectors that are there:\n${mismatch.statements.join("\n")}`
    )
  })
  return [...unrecognised, ...known]
})

const embeddings = Effect.gen(function* () {
  const { bare, chunks } = yield* chunksWithoutVectors
  const toBuild = yield* indexesToBuild
  const text = `${chunks - bare} of ${chunks} chunks have a vector`
  return [
    bare > 0 ? warn("embeddings", text, "gbrain embed --stale") : ok("embeddings", text),
    ...(toBuild.length === 0
      ? []
      : [
          warn(
            "vector_index",
            `${toBuild.join(", ")} was set aside for a large run, or its building was interrupted: search by meaning is slow until it is there`,
            "gbrain embed --stale"
          )
        ])
  ]
})

const migration = Effect.gen(function* () {
  const name = "embedding_migration"
  const open = Option.getOrUndefined(yield* openMigration)
  if (open === undefined) return ok(name, "none under way")
  const { isReturn, phase, to } = open
  const target = `${to.model} at ${to.dimensions} dimensions`
  if (isReturn || phase === "undoing")
    return warn(name, "a migration is being undone", "gbrain migrate embeddings --undo")
  if (phase === "filling") {
    return warn(
      name,
      `a migration to ${target} is half way, begun ${open.startedAt.toISOString()}`,
      `${migrationCommand(to.model, to.dimensions)}\ngbrain migrate embeddings --undo -- to give it up`
    )
  }
  return warn(
    name,
    `the vectors of before the migration to ${target} are kept`,
    "gbrain migrate embeddings --finish\ngbrain migrate embeddings --undo -- to go back"
  )
})

const backlog = Effect.gen(function* () {
  const counts = yield* conversationBacklog()
  const text = `${counts.complete} of ${counts.total} conversation pages done, ${counts.toDo} to do, ${counts.notApplicable} not applicable`
  return counts.toDo > smallBacklog
    ? warn("conversation_facts_backlog", text, "gbrain extract-conversation-facts --workers 20")
    : ok("conversation_facts_backlog", text)
})

// With fewer facts it makes no difference that anybody notices.
const manyFacts = 10_000

const facts = Effect.gen(function* () {
  const name = "facts_superseded_by_index"
  if (yield* isSupersededIndexed) return ok(name, "there")
  const sql = yield* SqlClient.SqlClient
  const some = yield* sql`select 1 from facts offset ${manyFacts} limit 1`
  if (some.length === 0) return ok(name, "not needed yet; the next extraction makes it")
  return warn(
    name,
    "each fact that is replaced has the database read all facts; an extraction makes the index, if it may and nobody keeps it from that",
    supersededIndexByHand
  )
})

const leases = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const self = yield* HostProcess
  const rows = yield* sql<{
    readonly id: string
    readonly pid: number
    readonly host: string | null
    readonly expired: boolean
  }>`
    select id, holder_pid as pid, holder_host as host, ttl_expires_at < now() as expired from gbrain_cycle_locks`
  const stale = rows.filter((row) => row.expired || (row.host === self.host && !self.isAlive(row.pid)))
  return stale.length === 0
    ? ok("leases", `${rows.length} held`)
    : warn(
        "leases",
        `${stale.length} of ${rows.length} belong to processes that are gone; the next run takes them over`,
        "delete from gbrain_cycle_locks where ttl_expires_at < now();"
      )
})

const extractionSwitch = Effect.gen(function* () {
  const value = yield* (yield* BrainConfig).get("facts.extraction_enabled")
  return Option.exists(value, isSwitchedOff)
    ? warn(
        "extraction_enabled",
        "extraction is switched off in this brain",
        "gbrain config set facts.extraction_enabled true"
      )
    : ok("extraction_enabled", "on")
})

const models = Effect.gen(function* () {
  const chat = yield* resolveChatModel(Option.none())
  const { model: embedding } = yield* embeddingSettings(yield* BrainConfig)
  return (yield* Effect.forEach(
    [
      ["chat_model", chat],
      ["embedding_model", embedding]
    ] as const,
    ([name, model]) => checkModel(name, model)
  )).flat()
})

const checkModel = Effect.fnUntraced(function* (name: string, model: string) {
  const openai = yield* OpenAi
  const prices = yield* Prices
  const price = prices.of(model)
  const priced = Option.isSome(price)
    ? ok(`${name}_price`, `known (${price.value.source})`)
    : warn(
        `${name}_price`,
        `no price is known for ${model}`,
        unpriced(model).message.replace(/^.*: gbrain/s, "gbrain")
      )
  const endpoint = yield* Effect.result(openai.endpoint(model))
  if (Result.isFailure(endpoint))
    return [fail(name, endpoint.failure.message, "set the key in the environment"), priced]
  const reached = yield* Effect.result(endpoint.success.check)
  return [
    Result.isSuccess(reached)
      ? ok(name, `${model} at ${endpoint.success.host}`)
      : fail(name, reached.failure.error.message),
    priced
  ]
})
