/** The version that a mark names is gbrain's to the byte, also of pages whose transcript is a file. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Path } from "effect"
import { SqlClient } from "effect/sql"
import { readPage } from "../../../src/programs/extract-conversation-facts/plan.ts"
import { defaultImportOptions, importDirectory } from "../../../src/programs/import/importDirectory.ts"
import { importLayer } from "../../../src/programs/import/layer.ts"
import { Conversations } from "../../../src/services/Conversations.ts"
import { onBothDatabases } from "../../support/brains.ts"

const example = "examples/brain"
const page = "conversations/2025-04-transcript-file.md"
const said =
  "**Ana:** I will take the whole of July off this year.\n**Bo:** I doubt very much that you can do that."
const transcript = "transcripts/podcast-2025-04-02.txt"

onBothDatabases("the version of a page with a transcript", (brain) => {
  describe("as gbrain 0.46 wrote it into its mark", () => {
    it.live("with the file, and while the file is not there", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const directory = yield* fs.makeTempDirectoryScoped()
        for (const file of [page, transcript]) {
          yield* fs.makeDirectory(path.dirname(path.join(directory, file)), { recursive: true })
          yield* fs.copyFile(path.join(example, file), path.join(directory, file))
        }
        yield* Effect.provide(
          importDirectory({ ...defaultImportOptions, directory }),
          importLayer({ workers: 2 })
        )
        const [row] = yield* sql<{ id: number }>`select id from pages`
        const token = Effect.map(readPage(row?.id ?? 0, Option.none()), (read) =>
          read._tag === "Read" ? read.versionToken : read._tag
        )
        expect(yield* token).toBe("sidecar-aeafaca078ae819b648e1c8fff4add71a48bc2a2ee981c10b73cacde99c0dea6")
        yield* fs.remove(path.join(directory, transcript))
        yield* sql`update pages set compiled_truth = ${said}, content_hash = null`
        expect(yield* token).toBe("sidecar-c1e51e2416c673b5b10738cc07262d419f3b174ec44842fe7ae3895af9fc6616")
      }).pipe(Effect.scoped, Effect.provide(Conversations.layer), Effect.provide(brain))
    )
  })
})
