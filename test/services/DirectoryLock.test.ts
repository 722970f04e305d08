import { NodeServices } from "@effect/platform-node"
import { expect, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path } from "effect"
import { holdDirectory } from "../../src/services/database/DirectoryLock.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"

it.effect(
  "a folder that a process on another host holds is left to it, and the file to remove is named",
  () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const lock = (yield* Path.Path).join(directory, "gbrain.lock")
      yield* fs.writeFileString(lock, JSON.stringify({ pid: 1, host: "container-of-before" }))
      const error = yield* Effect.flip(holdDirectory(directory))
      expect(error).toMatchObject({ _tag: "BrainInUse", holderPid: 1, holderHost: "container-of-before" })
      expect(error.message).toContain(`remove ${lock}`)
      yield* fs.remove(lock)
      yield* holdDirectory(directory)
      expect(yield* fs.readFileString(lock)).not.toContain("container-of-before")
    }).pipe(Effect.scoped, Effect.provide(HostProcess.layer.pipe(Layer.provideMerge(NodeServices.layer))))
)
