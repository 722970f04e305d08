import { NodeServices } from "@effect/platform-node"
import { describe, expect } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer, Path } from "effect"
import { holdDirectory } from "../../src/services/database/DirectoryLock.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { testsOn } from "../support/testsOn.ts"

const test = testsOn(HostProcess.layer.pipe(Layer.provideMerge(NodeServices.layer)))

/** A folder, and the file that says who holds it. */
const folder = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  return { fs, directory, lock: (yield* Path.Path).join(directory, "gbrain.lock") }
})

describe("an embedded brain's folder", () => {
  test("is left to a process on another host that holds it, and the file to remove is named", () =>
    Effect.gen(function* () {
      const { directory, fs, lock } = yield* folder
      yield* fs.writeFileString(lock, JSON.stringify({ pid: 1, host: "container-of-before" }))
      const error = yield* Effect.flip(holdDirectory(directory))
      expect(error).toMatchObject({ _tag: "BrainInUse", holderPid: 1, holderHost: "container-of-before" })
      expect(error.message).toContain(`remove ${lock}`)
      yield* fs.remove(lock)
      yield* holdDirectory(directory)
      expect(yield* fs.readFileString(lock)).not.toContain("container-of-before")
    }))

  test("is not held twice by one process, whatever the path, and stays held by the first", () =>
    Effect.gen(function* () {
      const { directory, fs, lock } = yield* folder
      const otherPath = `${yield* fs.makeTempDirectoryScoped()}/link`
      yield* fs.symlink(directory, otherPath)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holdDirectory(directory)
          const held = yield* fs.readFileString(lock)
          for (const path of [directory, otherPath]) {
            const error = yield* Effect.flip(Effect.scoped(holdDirectory(path)))
            expect(error).toMatchObject({ _tag: "BrainInUse", holderPid: process.pid })
            expect(error.message).toContain("in this process already")
          }
          expect(yield* fs.readFileString(lock)).toBe(held)
        })
      )
      expect(yield* fs.exists(lock)).toBe(false)
      for (const path of [otherPath, directory]) yield* Effect.scoped(holdDirectory(path))
    }))

  test("is one fiber's, of many that want it at the same time", () =>
    Effect.gen(function* () {
      const { directory } = yield* folder
      const exits = yield* Effect.all(
        Array.from({ length: 20 }, () => Effect.exit(holdDirectory(directory))),
        { concurrency: "unbounded" }
      )
      expect(exits.filter(Exit.isSuccess)).toHaveLength(1)
    }))

  test("is taken over from a dead process whose id is ours by now", () =>
    Effect.gen(function* () {
      const { directory, fs, lock } = yield* folder
      const { host, pid } = yield* HostProcess
      for (const dead of [
        { pid, host },
        { pid, host, nonce: "of before" }
      ]) {
        yield* fs.writeFileString(lock, JSON.stringify(dead))
        yield* Effect.scoped(
          Effect.andThen(holdDirectory(directory), Effect.flip(Effect.scoped(holdDirectory(directory))))
        )
        expect(yield* fs.exists(lock)).toBe(false)
      }
    }))

  test("can be held after it could not be", () =>
    Effect.gen(function* () {
      const { directory, fs, lock } = yield* folder
      // What is in the way can neither be read nor moved onto itself.
      yield* fs.makeDirectory(lock)
      yield* fs.makeDirectory(`${lock}.${(yield* HostProcess).host}.${process.pid}`)
      yield* Effect.flip(holdDirectory(directory))
      yield* fs.remove(directory, { recursive: true })
      yield* holdDirectory(directory)
    }))

  test("stays with another process that took it after our file was removed by hand", () =>
    Effect.gen(function* () {
      const { directory, fs, lock } = yield* folder
      const { host, pid } = yield* HostProcess
      const theirs = JSON.stringify({ pid, host, nonce: "theirs" })
      yield* Effect.scoped(
        Effect.andThen(
          holdDirectory(directory),
          Effect.andThen(fs.remove(lock), fs.writeFileString(lock, theirs))
        )
      )
      expect(yield* fs.readFileString(lock)).toBe(theirs)
    }))
})
