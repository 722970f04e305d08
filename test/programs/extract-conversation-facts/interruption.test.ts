/** What is left when a run is interrupted: nothing. */
import { expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Tracer } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../../src/domain/Money.ts"
import { extractConversationFacts } from "../../../src/programs/extract-conversation-facts/extractConversationFacts.ts"
import { extractionLayer } from "../../../src/programs/extract-conversation-facts/layer.ts"
import { defaultOptions } from "../../../src/programs/extract-conversation-facts/options.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { until } from "../../support/cli.ts"
import { conversation, environment, putPages, standIn } from "../../support/extraction.ts"

/** Timers and sockets of this process. */
const resources = () => {
  const active = process.getActiveResourcesInfo()
  const count = (kind: string) => active.filter((it) => it === kind).length
  return { timers: count("Timeout"), sockets: count("TCPSocketWrap") }
}

/** A tracer that knows which spans are open: an effect that still runs has one. */
const spans = () => {
  const open = new Set<Tracer.Span>()
  const tracer = Tracer.make({
    span: (options) => {
      const span = new (class extends Tracer.NativeSpan {
        override end(...ended: Parameters<Tracer.NativeSpan["end"]>) {
          open.delete(this)
          super.end(...ended)
        }
      })(options)
      open.add(span)
      return span
    }
  })
  return { open, tracer }
}

onBothDatabases("a run that is interrupted", (brain) => {
  it.live("leaves no fiber, timer, socket, lease or transaction, whenever it happens", () =>
    Effect.gen(function* () {
      const before = resources()
      const { open, tracer } = spans()
      yield* Effect.gen(function* () {
        yield* putPages(
          Array.from({ length: 30 }, (_, index) => ({
            slug: `conversations/${index}`,
            body: conversation(`topic-${index}`, 4, 1 + (index % 3))
          }))
        )
        const api = yield* standIn({ chatLatency: 30, embeddingLatency: 10 })
        const sql = yield* SqlClient.SqlClient
        // After so many answers: while pages are read, asked about, embedded, committed.
        for (const answers of [0, 1, 7, 20, 33]) {
          const asked = api.stats().chatCalls
          const fiber = yield* extractConversationFacts({ ...defaultOptions, force: true }).pipe(
            Effect.provide(
              extractionLayer({ workers: 5, cap: Money.parseUsd("5"), model: Option.none() }).pipe(
                Layer.provide(environment({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" }))
              )
            ),
            Effect.provideService(Tracer.Tracer, tracer),
            Effect.forkChild
          )
          yield* Effect.promise(() => until(() => api.stats().chatCalls >= asked + answers))
          yield* Fiber.interrupt(fiber)
          expect([...open].map((span) => span.name)).toEqual([])
          const leases = yield* sql`select id from gbrain_cycle_locks`
          expect(leases).toEqual([])
          const transactions = yield* sql`
            select query from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'`
          expect(transactions).toEqual([])
        }
      }).pipe(Effect.scoped, Effect.provide(brain))
      yield* Effect.promise(() =>
        until(() => {
          const now = resources()
          return now.timers <= before.timers && now.sockets <= before.sockets
        })
      )
    })
  )
})
