/** What the threads that cut code promise: a bad file costs no more than itself. */
import { writeFile } from "node:fs/promises"
import { pathToFileURL } from "node:url"
import { NodeServices } from "@effect/platform-node"
import { expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, FileSystem, Layer } from "effect"
import { TestClock } from "effect/testing"
import { CodeParser, ParserPolicy } from "../../src/services/CodeParser.ts"

/** Threads that do as the text of a file says. */
const script = `
  const { parentPort, threadId } = require("node:worker_threads")
  parentPort.on("message", ({ text }) => {
    if (text === "hang") for (;;);
    if (text === "crash") throw new Error("no more")
    if (text === "end") process.exit(7)
    parentPort.postMessage({ chunks: [threadId] })
  })`

const obedient = (timeout: Duration.Duration) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* Effect.promise(() => writeFile(`${folder}/thread.cjs`, script))
      return CodeParser.layer({ workers: 1 }).pipe(
        Layer.provide(
          Layer.succeed(ParserPolicy, {
            timeout,
            megabytes: 256,
            script: pathToFileURL(`${folder}/thread.cjs`)
          })
        )
      )
    })
  ).pipe(Layer.provide(NodeServices.layer))

const read = (text: string) => Effect.flatMap(CodeParser, (parser) => parser.chunks({ path: "a.ts", text }))

it.effect("a file that hangs is named when its time is up, and the next one has a new thread", () =>
  Effect.gen(function* () {
    const [before] = yield* read("fine")
    expect(yield* read("fine")).toEqual([before])
    const hanging = yield* Effect.forkChild(Effect.flip(read("hang")))
    yield* TestClock.adjust("1 minute")
    expect((yield* Fiber.join(hanging)).message).toBe("took longer than 1m to read")
    expect(yield* read("fine")).not.toEqual([before])
  }).pipe(Effect.provide(obedient(Duration.minutes(1))))
)

it.live("a file that crashes its thread is named, and the next one has a new thread", () =>
  Effect.gen(function* () {
    const [before] = yield* read("fine")
    expect((yield* Effect.flip(read("crash"))).message).toBe("crashed its reader: no more")
    const [after] = yield* read("fine")
    expect(after).not.toEqual(before)
    expect((yield* Effect.flip(read("end"))).message).toBe("crashed its reader, which ended with 7")
    expect(yield* read("fine")).not.toEqual([after])
  }).pipe(Effect.provide(obedient(Duration.minutes(1))))
)

it.live("an interrupt does not wait for a file that hangs", () =>
  Effect.gen(function* () {
    const interrupted = yield* Effect.exit(Effect.raceFirst(read("hang"), Effect.sleep("50 millis")))
    expect(interrupted._tag).toBe("Success")
    expect(yield* read("fine")).toHaveLength(1)
  }).pipe(Effect.provide(obedient(Duration.minutes(1))))
)

it.live("the real threads cut code, from sources as from what was built", () =>
  Effect.gen(function* () {
    const [chunk] = yield* read("function f() { g() }")
    expect(chunk).toMatchObject({ symbolName: "f", edges: [{ from: "f", to: "g", type: "calls" }] })
  }).pipe(Effect.provide(CodeParser.layer({ workers: 2 })))
)
