import { expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../../src/domain/Money.ts"
import { costOf, priceOf } from "../../../src/domain/Prices.ts"
import { MultimodalBatchLimits } from "../../../src/programs/reindex-multimodal/pack.ts"
import { RetryPolicy } from "../../../src/services/Retry.ts"
import { embeddedBrain, onBothDatabases } from "../../support/brains.ts"
import { standIn } from "../../support/extraction.ts"
import { image, pictureChunks, pictureFolder, reindex } from "../../support/pictures.ts"
import type { Fault } from "../../support/stand-in/behaviour.ts"
import { testsOn } from "../../support/testsOn.ts"

/** A folder of small images, each another. */
const images = (count: number) =>
  Effect.gen(function* () {
    const made = yield* Effect.promise(() =>
      Promise.all(Array.from({ length: count }, (_, index) => image("png", 20 + index, 30)))
    )
    yield* pictureFolder(
      Object.fromEntries(made.map((bytes, index) => [`${String(index).padStart(3, "0")}.png`, bytes]))
    )
  })

const refuse: Fault = {
  kind: "status",
  status: 400,
  body: { error: { message: "image is unsafe", code: null } }
}

onBothDatabases("calls of reindex --multimodal", (brain) => {
  it.live("N calls are in flight, and no more, and few images are shared among the workers", () =>
    Effect.gen(function* () {
      yield* images(24)
      const api = yield* standIn({ embeddingLatency: 1500 })
      const report = yield* reindex(api.url, { workers: 6 })
      expect(report).toMatchObject({ status: "completed", images: 24, calls: 12 })
      expect(api.stats().mostEmbeddingsInFlight).toBe(6)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("a call refused for one bad image is halved until that one is named; the others are kept", () =>
    Effect.gen(function* () {
      yield* images(16)
      const api = yield* standIn({ rules: [{ fault: refuse, contains: " 25x30 " }] })
      const report = yield* reindex(api.url, { workers: 1 })
      expect(report).toMatchObject({ status: "failed", images: 15, failed: 1, pending_after: 1 })
      expect(report.failures).toHaveLength(1)
      expect(report.failures[0]).toMatchObject({ item: "005.png" })
      expect(report.failures[0]?.reason).toContain("image is unsafe")
      api.behave({ rules: [] })
      expect(yield* reindex(api.url)).toMatchObject({ status: "completed", images: 1, calls: 1 })
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("the cap is kept whatever the number of workers, and the next run goes on", () =>
    Effect.gen(function* () {
      yield* images(30)
      const api = yield* standIn({ embeddingLatency: 5 })
      // An image of so few pixels costs three thousandths of a cent.
      const report = yield* reindex(api.url, { workers: 8, cap: "0.00047" })
      expect(report).toMatchObject({ status: "budget", budget_period: "run", cap_usd: 0.00047 })
      expect(report.images).toBeGreaterThanOrEqual(12)
      expect(report.images).toBeLessThan(16)
      expect(report.spent_usd).toBeLessThanOrEqual(0.00047)
      const price = Option.getOrThrow(priceOf("voyage:voyage-multimodal-3", {}))
      const billed = costOf(price, {
        inputTokens: 0,
        cachedTokens: 0,
        outputTokens: 0,
        imagePixels: report.images * 50_000
      })
      expect(report.spent_usd).toBe(Money.toNumber(billed))
      const rest = yield* reindex(api.url)
      expect(rest).toMatchObject({ status: "completed", images: 30 - report.images })
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live(
    "interrupted, it gives back its lock and keeps what was paid for; a second run at once waits its turn",
    () =>
      Effect.gen(function* () {
        yield* images(12)
        const api = yield* standIn({
          embeddingLatency: 50,
          rules: [{ fault: { kind: "hang" }, contains: " 31x30 " }]
        })
        const limits = yield* MultimodalBatchLimits
        const running = yield* Effect.forkChild(
          reindex(api.url, { workers: 2 }).pipe(
            Effect.provideService(MultimodalBatchLimits, { ...limits, bytes: 300 })
          )
        )
        const sql = yield* SqlClient.SqlClient
        const done = Effect.map(pictureChunks, (chunks) => chunks.filter((chunk) => chunk.image).length)
        while ((yield* done) < 11) yield* Effect.sleep(Duration.millis(20))
        const second = yield* reindex(api.url)
        expect(second).toMatchObject({ status: "incomplete", calls: 0 })
        expect(second.held).toContain("gbrain-reindex-multimodal is being worked on by process")
        yield* Fiber.interrupt(running)
        expect(yield* sql`select 1 from gbrain_cycle_locks`).toEqual([])
        expect(yield* sql`select status from gbrain_effect.runs order by id`).toEqual([
          { status: "interrupted" },
          { status: "incomplete" }
        ])
        api.behave({ rules: [] })
        expect(yield* reindex(api.url)).toMatchObject({ status: "completed", images: 1, calls: 1 })
      }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("vectors that were paid for and not written are not paid for again", () =>
    Effect.gen(function* () {
      yield* images(4)
      const api = yield* standIn()
      const sql = yield* SqlClient.SqlClient
      yield* reindex(api.url, { workers: 1 })
      const chunks = yield* pictureChunks
      // As if the run had been killed between the answer and the commit.
      yield* sql`create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end'`
      yield* sql`create trigger refuse before update on content_chunks for each row execute function refuse()`
      const killed = yield* reindex(api.url, { workers: 1, force: true })
      expect(killed).toMatchObject({ status: "failed", images: 0 })
      expect(killed.calls).toBeGreaterThan(0)
      yield* sql`drop trigger refuse on content_chunks`
      const again = yield* reindex(api.url, { workers: 1, force: true })
      expect(again).toMatchObject({ status: "completed", images: 4, from_journal: 4, calls: 0, spent_usd: 0 })
      expect(yield* pictureChunks).toEqual(chunks)
      expect(yield* sql`select 1 from gbrain_effect.journal_vectors`).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})

const test = testsOn(embeddedBrain)

test("servers of OpenAI's kind are asked in their form, an input a call, paid for by the token", () =>
  Effect.gen(function* () {
    yield* images(3)
    const api = yield* standIn()
    const unpriced = yield* Effect.flip(reindex(api.url, { model: "clip-of-mine" }))
    expect(unpriced).toMatchObject({ _tag: "UnpricedModel" })
    const sql = yield* SqlClient.SqlClient
    yield* sql`insert into config (key, value) values ('pricing.overrides', '{"clip-of-mine":{"input":"1"}}'),
      ('embedding_multimodal_model', 'clip-of-mine')`
    const report = yield* reindex(api.url)
    expect(report).toMatchObject({ status: "completed", model: "clip-of-mine", images: 3, calls: 3 })
    expect(api.log().map(({ endpoint }) => endpoint)).toEqual(["embeddings", "embeddings", "embeddings"])
    expect(api.stats().embeddingInputs).toBe(3)
    // A server that makes several widths makes the one that the columns have; one that has only one is not asked twice.
    expect(api.log().map(({ parameters }) => parameters)).toEqual(
      Array.from({ length: 3 }, () => ({ input_type: "document", dimensions: 1024 }))
    )
    api.behave({ onlyWidth: 1024 })
    const again = yield* reindex(api.url, { model: "clip-of-mine", workers: 1, force: true })
    expect(again).toMatchObject({ status: "completed", images: 3, calls: 3 })
    expect(
      api
        .log()
        .slice(3)
        .map(({ parameters }) => parameters)
    ).toEqual([
      { input_type: "document", dimensions: 1024 },
      ...Array.from({ length: 3 }, () => ({ input_type: "document" }))
    ])
  }))

test("models that take no images, or make another width, are refused before anything is paid", () =>
  Effect.gen(function* () {
    yield* images(1)
    const api = yield* standIn()
    for (const model of ["openai:text-embedding-3-small", "voyage:voyage-4"]) {
      const error = yield* Effect.flip(reindex(api.url, { model }))
      expect(error).toMatchObject({ _tag: "UnfitModel" })
      expect("message" in error ? error.message : "").toContain(`${model} takes no images`)
    }
    const sql = yield* SqlClient.SqlClient
    yield* sql`alter table content_chunks alter column embedding_image type vector(512),
      alter column embedding_multimodal type vector(512)`
    const error = yield* Effect.flip(reindex(api.url))
    expect("message" in error ? error.message : "").toContain(
      "1024 dimensions, not of 512. The brain's columns for images are 512 wide"
    )
    // This one is asked for the width that the columns have.
    expect(yield* reindex(api.url, { model: "voyage:voyage-multimodal-3.5" })).toMatchObject({
      status: "completed",
      dimensions: 512
    })
    yield* sql`alter table content_chunks drop column embedding_multimodal`
    expect(yield* Effect.flip(reindex(api.url))).toMatchObject({ _tag: "NoImageColumns" })
    expect(api.stats().requests).toBe(1)
  }))

test("answers with too few vectors, with NaN, of another width: nothing wrong is written", () =>
  Effect.gen(function* () {
    yield* images(8)
    const api = yield* standIn()
    api.behave({ rules: [{ fault: { kind: "vectors", how: "few" }, times: 1 }] })
    const few = yield* reindex(api.url, { workers: 1 })
    // Asked again in two halves, as it may have been for one of them.
    expect(few).toMatchObject({ status: "completed", images: 8, calls: 3, failed: 0 })
    api.behave({ rules: [{ fault: { kind: "vectors", how: "nan" } }] })
    const nan = yield* reindex(api.url, { workers: 1, force: true })
    expect(nan).toMatchObject({ status: "failed", images: 0, failed: 8 })
    // JSON has no NaN: such a server writes null.
    expect(nan.failures[0]?.reason).toContain("a vector is neither base64 nor numbers")
    api.behave({ rules: [{ fault: { kind: "vectors", how: "width" } }] })
    const wrong = yield* reindex(api.url, { workers: 1, force: true })
    expect(wrong).toMatchObject({ status: "failed", images: 0 })
    expect(wrong.stopped).toContain("1023")
    api.behave({ rules: [{ fault: { kind: "vectors", how: "shuffled" } }] })
    expect(yield* reindex(api.url)).toMatchObject({ status: "completed", failed: 0 })
    const chunks = yield* pictureChunks
    expect(chunks.every(({ image, same, width }) => image && same && width === 1024)).toBe(true)
  }))

test("limits of the server are obeyed, and errors that pass are tried again", () =>
  Effect.gen(function* () {
    yield* images(20)
    const api = yield* standIn({
      requestsPerMinute: 600,
      rules: [
        { fault: { kind: "status", status: 503 }, times: 2 },
        { fault: { kind: "reset" }, times: 1 },
        { fault: { kind: "html" }, times: 1 }
      ]
    })
    const report = yield* reindex(api.url, { workers: 4 }).pipe(
      Effect.provideService(RetryPolicy, { ...(yield* RetryPolicy), firstDelay: Duration.millis(5) })
    )
    expect(report).toMatchObject({ status: "completed", images: 20, failed: 0 })
    expect(report.retries).toBeGreaterThanOrEqual(4)
  }))

test("a wrong key stops the run at once", () =>
  Effect.gen(function* () {
    yield* images(20)
    const api = yield* standIn({ key: "another" })
    const report = yield* reindex(api.url, { workers: 2 })
    expect(report).toMatchObject({ status: "failed", images: 0, spent_usd: 0 })
    expect(report.stopped).toContain("refuses the key")
    expect(api.stats().requests).toBeLessThanOrEqual(4)
  }))
