/** Whether the brain's columns fit its embedding model, what has vectors, and whether a change of models is under way. */
import { Effect, Option } from "effect"
import { defaultWidth, widthProblem } from "../../domain/EmbeddingDimensions.ts"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import {
  migrationCommand,
  vectorColumns,
  vectorColumnTypes,
  widthMismatch
} from "../../services/EmbeddingWidth.ts"
import { openMigration } from "../../services/migration/state.ts"
import { chunksWithoutVectors, indexesToBuild } from "../embed/backlog.ts"
import { fail, ok, warn } from "./Check.ts"

/** Whether columns are as wide as the model's vectors. */
export const widths = Effect.gen(function* () {
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

/** Whether chunks have vectors, and the indexes are there. */
export const embeddings = Effect.gen(function* () {
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

/** Whether a change of the embedding model is half way. */
export const migration = Effect.gen(function* () {
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
