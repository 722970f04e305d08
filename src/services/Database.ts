/**
 * The brain's database, opened. One SQL client (`@effect/sql-pg`) serves both kinds: a Postgres server over TCP, and
 * PGlite inside this process. What is above needs to know the kind in very few places: the embedded one has one
 * connection, and belongs to one process.
 *
 * Two rules keep the embedded kind from locking up, and cost nothing on the other: nothing waits for the network inside
 * a transaction, and nothing asks for a second connection inside one.
 */
import type { PGlite } from "@electric-sql/pglite"
import { PgClient, PgTypes } from "@effect/sql-pg"
import { Context, Duration, Effect, FileSystem, Layer, Path, Redacted, Schema } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, SqlError } from "effect/sql"
import { BrainInUse, holdDirectory } from "./database/DirectoryLock.ts"
import { openPglite, runningHere } from "./database/pglite/here.ts"
import { type MessageRunner, pgliteStreams } from "./database/pglite/stream.ts"
import { openThread } from "./database/pglite/thread.ts"

/** The brain could not be opened: unreachable, wrong password, damaged, or no space left. */
export class BrainUnavailable extends Schema.TaggedError<BrainUnavailable>()("BrainUnavailable", {
  brain: Schema.String,
  message: Schema.String,
  cause: Schema.Defect()
}) {}

export { BrainInUse }

/** A server that vanished without a word is noticed when so long nothing came from it, and ten seconds of probes went unanswered. */
const keepAlive = Duration.seconds(30)

/** A page may have tens of megabytes, and comes in one message; the client's own limit is 16 MiB. */
const maxMessageBytes = 512 * 1024 * 1024

/** What is known of the open database beyond its SQL client. */
export class Database extends Context.Service<
  Database,
  {
    /** Which kind it is. */
    readonly kind: "postgres" | "pglite"
    /** How to name the brain to a person: never has a password in it. */
    readonly label: string
    /** The client's types: what an extension brings is added here by whoever knows it. */
    readonly types: PgTypes.Registry
  }
>()("gbrain/Database") {
  /**
   * A brain on a Postgres server (15 or newer, with pgvector).
   *
   * @param options.url `postgres://user:password@host:port/database`
   * @param options.maxConnections the most connections this process opens; 10 unless told
   */
  static readonly layerPostgres = (options: {
    readonly url: Redacted.Redacted
    readonly maxConnections?: number
    readonly applicationName?: string
  }): Layer.Layer<Database | SqlClient.SqlClient | PgClient.PgClient, BrainUnavailable> => {
    const label = urlLabel(options.url)
    const types = PgTypes.makeRegistry()
    return Layer.effectContext(
      PgClient.make({
        url: options.url,
        maxConnections: options.maxConnections ?? 10,
        // Statements that share a connection could not be cancelled, would wait behind one that waits for a lock, and their rows are
        // kept until the connection is idle for a moment (@effect/sql-pg 4.0.5), which in a busy run may be never.
        multiplex: false,
        // Whoever waits for an answer from a machine that is gone would wait for ever.
        keepAlive,
        applicationName: options.applicationName ?? "gbrain",
        maxMessageSize: maxMessageBytes,
        types
      }).pipe(
        // The pool connects lazily: an address that does not answer is found here, not in the middle of a run.
        Effect.tap((client) => client`select 1`),
        Effect.mapError((error) => unavailable(label, error)),
        Effect.map((client) => context(client, { kind: "postgres", label, types }))
      )
    ).pipe(Layer.provide(Reactivity.layer))
  }

  /**
   * An embedded brain: PGlite on a thread of this process, its files in `directory`, which is created when missing and held
   * as long as the layer lives: meanwhile neither another process nor this one can open it once more (`BrainInUse`). The program
   * goes on while a statement runs.
   */
  static readonly layerPglite = (options: { readonly directory: string }) =>
    Layer.effectContext(
      Effect.gen(function* () {
        const path = yield* Path.Path
        const directory = path.resolve(options.directory)
        const label = `the embedded brain in ${directory}`
        yield* holdDirectory(directory).pipe(
          Effect.mapError((error) => (error._tag === "BrainInUse" ? error : unavailable(label, error)))
        )
        const thread = yield* Effect.acquireRelease(
          Effect.tryPromise({
            try: () => openThread(path.join(directory, dataFolder)),
            catch: (cause) => unavailable(label, cause)
          }),
          (opened) => Effect.ignore(Effect.tryPromise(() => opened.close()))
        )
        return yield* fromPglite(thread, label)
      })
    ).pipe(Layer.provide(Reactivity.layer))

  /** An embedded brain in memory: nothing is left when the layer ends. For tests and for trying things out. */
  static readonly layerMemory = Database.layerOpened(
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () => openPglite(),
        catch: (cause) => unavailable(inMemory, cause)
      }),
      (opened) => Effect.ignore(Effect.tryPromise(() => opened.close()))
    )
  )

  /** A PGlite with the extensions `vector` and `pg_trgm` that somebody else opens, and nobody else uses meanwhile. */
  static layerOpened<E, R>(pglite: Effect.Effect<PGlite, E, R>) {
    return Layer.effectContext(
      Effect.flatMap(pglite, (opened) => fromPglite(runningHere(opened), inMemory))
    ).pipe(Layer.provide(Reactivity.layer))
  }
}

const inMemory = "the embedded brain in memory"

/** Where in an embedded brain's folder PGlite has its files. */
const dataFolder = "pgdata"

/** Whether a folder has an embedded database in it. */
export const holdsDatabase = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  return yield* Effect.orElseSucceed(fs.exists(path.join(directory, dataFolder)), () => false)
})

const fromPglite = (database: MessageRunner, label: string) => {
  const types = PgTypes.makeRegistry()
  const connect = pgliteStreams(database)
  return PgClient.make({
    stream: connect,
    username: "postgres",
    database: "postgres",
    maxConnections: 1,
    // PGlite cannot cancel. Whoever is interrupted leaves a statement on a shared connection behind, where otherwise it would wait for
    // its end; one at a time, because rows are kept as long as there is always another under way.
    multiplex: true,
    multiplexConcurrency: 1,
    maxMessageSize: maxMessageBytes,
    types
  }).pipe(
    Effect.tap((client) => client`set client_min_messages = warning`),
    Effect.mapError((error) => unavailable(label, error)),
    Effect.map((client) => context(client, { kind: "pglite", label, types }))
  )
}

const context = (client: PgClient.PgClient, database: Database["Service"]) =>
  Context.make(PgClient.PgClient, client).pipe(
    Context.add(SqlClient.SqlClient, client),
    Context.add(Database, database)
  )

/** The server, port and database of a Postgres URL, without user and password. */
export const urlLabel = (url: Redacted.Redacted): string => {
  const parsed = URL.parse(Redacted.value(url))
  return parsed === null ? "the Postgres brain" : `the Postgres brain ${parsed.host}${parsed.pathname}`
}

const unavailable = (brain: string, cause: unknown) => {
  const reason = reasonOf(cause)
  // The first letters of another protocol's answer, read as the length of a message.
  const said = /exceeds maxMessageSize/.test(reason) ? "what answers there does not speak PostgreSQL" : reason
  return new BrainUnavailable({ brain, message: `Cannot open ${brain}: ${said}.`, cause })
}

/** The database's own words for what went wrong, without the client's wrapping, e.g. `relation "x" does not exist`. */
export const reasonOf = (cause: unknown): string => {
  if (SqlError.isSqlError(cause)) return reasonOf(cause.reason.cause ?? cause.reason.message)
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0])
  // What the operating system said lies at the bottom: "no space left on device", not "writeFile failed".
  if (cause instanceof Error && cause.cause instanceof Error) return reasonOf(cause.cause)
  if (cause instanceof Error) return cause.message === "" ? cause.name : cause.message
  return String(cause)
}
