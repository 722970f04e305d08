/** Embedding a stream, on virtual time: what is in flight, what is kept, what a bad input costs. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber, Layer, Option, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ModelError } from "../../../src/domain/ModelError.ts"
import * as Money from "../../../src/domain/Money.ts"
import {
  embedBatches,
  type EmbeddedItem,
  type UnembeddedItem
} from "../../../src/programs/embed/embedBatches.ts"
import type { Embedder } from "../../../src/programs/embed/embedder.ts"
import { Budget } from "../../../src/services/Budget.ts"
import { splitRefused } from "../../../src/services/embedding/splitRefused.ts"
import type { EmbeddingCallError } from "../../../src/services/EmbeddingModel.ts"
import { Journal, type JournaledVector } from "../../../src/services/Journal.ts"
import { WorkerPool } from "../../../src/services/WorkerPool.ts"

/** A journal in memory. */
const memoryJournal = (vectors: Map<string, Float32Array>, writing: Effect.Effect<void> = Effect.void) =>
  Layer.succeed(
    Journal,
    Journal.of({
      answers: () => Effect.succeed(new Map()),
      recordAnswer: () => Effect.void,
      usual: () => Effect.succeed({ answers: 0, outputTokens: 0 }),
      holdsVectors: Effect.sync(() => vectors.size > 0),
      vectors: (keys) =>
        Effect.sync(
          () =>
            new Map(
              keys.flatMap((key) => {
                const vector = vectors.get(key)
                return vector === undefined ? [] : [[key, vector] as const]
              })
            )
        ),
      adoptVectors: () => Effect.succeed(new Map()),
      recordVectors: (entries: ReadonlyArray<JournaledVector>) =>
        Effect.andThen(
          writing,
          Effect.sync(() => entries.forEach(({ key, vector }) => vectors.set(key, vector)))
        )
    })
  )

const vectorOf = (text: string) => Float32Array.of(text.length)

const refusal = (reason: ModelError["reason"], message = "refused") =>
  new ModelError({ reason, model: "m", endpoint: "api", message, billed: "no" })

/** A server: every answer takes a second, unless told. */
const makeServer = (
  options: {
    readonly inputs?: number
    readonly tokens?: number
    readonly takes?: (texts: ReadonlyArray<string>) => number
    readonly fails?: (texts: ReadonlyArray<string>) => ModelError | undefined
  } = {}
) => {
  const state = { requests: new Array<ReadonlyArray<string>>(), inFlight: 0, most: 0 }
  const send = (texts: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      state.requests.push(texts)
      state.inFlight++
      state.most = Math.max(state.most, state.inFlight)
      yield* Effect.sleep(options.takes?.(texts) ?? 1_000)
      const error = options.fails?.(texts)
      if (error !== undefined) return yield* error
      return texts.map((text) => Result.succeed(vectorOf(text)))
    }).pipe(Effect.ensuring(Effect.sync(() => state.inFlight--)))
  const embedder: Embedder<string> = {
    limits: { inputs: options.inputs ?? 2, tokens: options.tokens ?? Infinity, bytes: Infinity },
    prepare: (text) =>
      Effect.succeed(
        text === ""
          ? Result.fail("the text is empty")
          : Result.succeed({
              input: text,
              key: text,
              size: { tokens: text.length, bytes: text.length },
              cut: false
            })
      ),
    embed: (texts) => splitRefused<string, EmbeddingCallError, never>(texts, send)
  }
  return { state, embedder }
}

// The clock goes on a step at a time, and fibers come to their next wait in between: a second of the server's is a second.
const pass = Effect.fnUntraced(function* (millis: number) {
  for (let step = 0; step < millis / 100; step++) {
    for (let hop = 0; hop < 50; hop++) yield* Effect.yieldNow
    yield* TestClock.adjust("100 millis")
  }
  for (let hop = 0; hop < 50; hop++) yield* Effect.yieldNow
})

const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)

/** Embeds, and remembers what came of it. */
const embedAll = (
  server: ReturnType<typeof makeServer>,
  items: Stream.Stream<string>,
  options: {
    readonly workers?: number
    readonly journal?: Map<string, Float32Array>
    readonly journals?: boolean
    readonly journaling?: Effect.Effect<void>
    readonly write?: (embedded: ReadonlyArray<EmbeddedItem<string>>) => Effect.Effect<void>
  } = {}
) => {
  const written = new Array<string>()
  const unembedded = new Array<UnembeddedItem<string>>()
  const run = embedBatches({
    items,
    inputOf: (text: string) => text,
    embedder: server.embedder,
    owner: "test",
    journal: options.journals ?? false,
    write: (embedded) =>
      Effect.andThen(
        options.write?.(embedded) ?? Effect.void,
        Effect.sync(() => {
          for (const { item, vector } of embedded) {
            expect(vector).toEqual(vectorOf(item))
            written.push(item)
          }
        })
      ),
    unembedded: (more) => Effect.sync(() => unembedded.push(...more))
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        Budget.layer({ cap: Option.none() }),
        WorkerPool.layer({ workers: options.workers ?? 4 }),
        memoryJournal(options.journal ?? new Map(), options.journaling)
      )
    )
  )
  return { run, written, unembedded }
}

describe("embedBatches", () => {
  it.effect("fills requests across whatever the texts belong to, to the limits in texts and in tokens", () =>
    Effect.gen(function* () {
      const server = makeServer({ inputs: 3, tokens: 20, takes: () => 0 })
      const items = ["aaaaa", "bbbbb", "ccccc", "ddddd", "eeeeeeeeee", "ffffffffffff", "g".repeat(50), "h"]
      const { run, written } = embedAll(server, Stream.fromIterable(items), { workers: 1 })
      yield* run
      expect(server.state.requests).toEqual([
        ["aaaaa", "bbbbb", "ccccc"],
        ["ddddd", "eeeeeeeeee"],
        ["ffffffffffff"],
        ["g".repeat(50)],
        ["h"]
      ])
      expect(written).toEqual(items)
    })
  )

  it.effect("keeps N requests in flight to the end, without a barrier: a slow one holds up nobody", () =>
    Effect.gen(function* () {
      // 41 requests: forty of a second and one of ten, on four workers.
      const server = makeServer({ takes: (batch) => (batch.includes("text 0") ? 10_000 : 1_000) })
      const { run, written } = embedAll(server, Stream.fromIterable(texts(82)))
      const fiber = yield* Effect.forkChild(run)
      yield* pass(9_000)
      expect(server.state.inFlight).toBe(4)
      yield* pass(4_000)
      expect(Exit.isSuccess(yield* Fiber.await(fiber))).toBe(true)
      expect(server.state.most).toBe(4)
      expect(written).toHaveLength(82)
    })
  )

  it.effect("a slow writer takes no worker's place", () =>
    Effect.gen(function* () {
      const server = makeServer()
      const { run, written } = embedAll(server, Stream.fromIterable(texts(40)), {
        write: () => Effect.sleep(900)
      })
      const fiber = yield* Effect.forkChild(run)
      // Five seconds of answers, and the last write: no worker waited for another.
      yield* pass(5_950)
      yield* Fiber.join(fiber)
      expect(written).toHaveLength(40)
    })
  )

  it.effect("draws no more of the stream than two batches a worker, however slow the answers are", () =>
    Effect.gen(function* () {
      let drawn = 0
      const endless = Stream.fromIterable(texts(100_000)).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sync(() => drawn++))
      )
      const server = makeServer({ inputs: 10 })
      const { run } = embedAll(server, endless)
      const fiber = yield* Effect.forkChild(run)
      yield* pass(100)
      expect(drawn).toBeLessThanOrEqual(2 * 4 * 10 + 10)
      yield* pass(3_000)
      expect(drawn).toBeLessThanOrEqual(5 * 4 * 10 + 10)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("a refused text is found by halving and named; the others get their vectors", () =>
    Effect.gen(function* () {
      const server = makeServer({
        inputs: 64,
        fails: (batch) => (batch.includes("text 37") ? refusal("Rejected", "no such text") : undefined)
      })
      const { run, unembedded, written } = embedAll(server, Stream.fromIterable(texts(64)), { workers: 1 })
      const fiber = yield* Effect.forkChild(run)
      yield* pass(60_000)
      yield* Fiber.join(fiber)
      expect(unembedded).toEqual([{ item: "text 37", reason: "no such text", passing: false }])
      expect(written.toSorted()).toEqual(
        texts(64)
          .filter((text) => text !== "text 37")
          .toSorted()
      )
      // The whole, and at each of six levels the half with the bad text and the one without.
      expect(server.state.requests).toHaveLength(13)
    })
  )

  it.effect("a server that refuses everything is recognised, and not asked about every text alone", () =>
    Effect.gen(function* () {
      const server = makeServer({ inputs: 64, fails: () => refusal("Rejected", "unknown parameter") })
      const { run, written } = embedAll(server, Stream.fromIterable(texts(10_000)), { workers: 2 })
      const fiber = yield* Effect.forkChild(Effect.exit(run))
      yield* pass(60_000)
      const exit = yield* Fiber.join(fiber)
      expect(Exit.findErrorOption(exit)).toMatchObject(Option.some({ message: "unknown parameter" }))
      expect(written).toEqual([])
      expect(server.state.requests.length).toBeLessThan(50)
    })
  )

  it.effect("an empty text is not sent and is named", () =>
    Effect.gen(function* () {
      const server = makeServer({ takes: () => 0 })
      const { run, unembedded, written } = embedAll(server, Stream.make("a", "", "b"))
      yield* run
      expect(server.state.requests).toEqual([["a", "b"]])
      expect(written).toEqual(["a", "b"])
      expect(unembedded).toEqual([{ item: "", reason: "the text is empty", passing: false }])
    })
  )

  it.effect("a request that fails for a while costs its own texts only, and says that it may pass", () =>
    Effect.gen(function* () {
      const server = makeServer({
        fails: (batch) => (batch.includes("text 2") ? refusal("Unavailable", "broken") : undefined)
      })
      const { run, unembedded, written } = embedAll(server, Stream.fromIterable(texts(8)))
      const fiber = yield* Effect.forkChild(run)
      yield* pass(10_000)
      yield* Fiber.join(fiber)
      expect(unembedded).toEqual([
        { item: "text 2", reason: "broken", passing: true },
        { item: "text 3", reason: "broken", passing: true }
      ])
      expect(written).toHaveLength(6)
    })
  )

  it.effect("an error that all calls would meet ends the work; what comes back within a second is kept", () =>
    Effect.gen(function* () {
      const server = makeServer({
        takes: (batch) => (batch.includes("text 0") ? 500 : batch.includes("text 2") ? 60_000 : 1_000),
        fails: (batch) => (batch.includes("text 0") ? refusal("Unauthorized", "wrong key") : undefined)
      })
      const { run, written } = embedAll(server, Stream.fromIterable(texts(1_000)))
      const fiber = yield* Effect.forkChild(Effect.exit(run))
      yield* pass(1_500)
      const exit = yield* Fiber.join(fiber)
      expect(Exit.findErrorOption(exit)).toMatchObject(Option.some({ reason: "Unauthorized" }))
      expect(server.state.requests).toHaveLength(4)
      expect(server.state.inFlight).toBe(0)
      expect(written.toSorted()).toEqual(["text 4", "text 5", "text 6", "text 7"])
    })
  )

  it.effect("what is in the journal is not asked again, and the same text twice is asked once", () =>
    Effect.gen(function* () {
      const journal = new Map([["known", vectorOf("known")]])
      const server = makeServer({ inputs: 4, takes: () => 0 })
      const { run, written } = embedAll(server, Stream.make("known", "new", "new", "other"), { journal })
      yield* run
      expect(server.state.requests).toEqual([["new", "other"]])
      expect(written.toSorted()).toEqual(["known", "new", "new", "other"])
    })
  )

  it.effect("interrupted between an answer and its place in the journal, the answer is kept", () =>
    Effect.gen(function* () {
      const journal = new Map<string, Float32Array>()
      const server = makeServer()
      const { run, written } = embedAll(server, Stream.fromIterable(texts(2)), {
        journal,
        journals: true,
        journaling: Effect.sleep("1 second"),
        write: () => Effect.never
      })
      const fiber = yield* Effect.forkChild(run)
      yield* pass(1_500)
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* pass(500)
      yield* Fiber.join(interrupting)
      expect([...journal.keys()]).toEqual(["text 0", "text 1"])
      expect(written).toEqual([])
      // And the next run needs no server.
      const again = embedAll(server, Stream.fromIterable(texts(2)), { journal, journals: true })
      yield* again.run
      expect(server.state.requests).toHaveLength(1)
      expect(again.written).toEqual(["text 0", "text 1"])
    })
  )

  it.effect("without a journal, interrupted between an answer and its writing, it is written", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const server = makeServer()
      const { run, written } = embedAll(server, Stream.fromIterable(texts(2)), {
        write: () => Effect.andThen(Deferred.succeed(began, undefined), Effect.sleep("1 second"))
      })
      const fiber = yield* Effect.forkChild(run)
      yield* pass(1_000)
      yield* Deferred.await(began)
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* pass(1_000)
      yield* Fiber.join(interrupting)
      expect(written).toEqual(["text 0", "text 1"])
    })
  )

  it.effect("when the money is used up nothing new is begun, and what is under way is written", () =>
    Effect.gen(function* () {
      const cap = Option.getOrThrow(Money.parseUsd("5"))
      const dollar = Option.getOrThrow(Money.parseUsd("1"))
      const server = makeServer()
      const written = new Array<string>()
      const startedAt = yield* Clock.currentTimeMillis
      const run = Effect.gen(function* () {
        const budget = yield* Budget
        yield* embedBatches({
          items: Stream.fromIterable(texts(1_000)),
          inputOf: (text: string) => text,
          embedder: {
            ...server.embedder,
            embed: (inputs) =>
              budget.withReservation(dollar, (settle) =>
                Effect.tap(server.embedder.embed(inputs), () => settle(dollar))
              )
          },
          owner: "test",
          journal: false,
          write: (embedded) => Effect.sync(() => embedded.forEach(({ item }) => written.push(item))),
          unembedded: () => Effect.void
        })
      }).pipe(
        Effect.provide(
          Layer.mergeAll(
            Budget.layer({ cap: Option.some(cap) }),
            WorkerPool.layer({ workers: 3 }),
            memoryJournal(new Map())
          )
        )
      )
      const fiber = yield* Effect.forkChild(Effect.exit(run))
      yield* pass(60_000)
      const exit = yield* Fiber.join(fiber)
      expect(Exit.findErrorOption(exit)).toMatchObject(
        Option.some({ _tag: "BudgetExhausted", period: "run" })
      )
      expect(server.state.requests).toHaveLength(5)
      expect(written).toHaveLength(10)
      expect(startedAt).toBe(0)
    })
  )
})
