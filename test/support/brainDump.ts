/** A new embedded brain as a file: tests begin with a copy of it, which takes a fraction of the time that making one takes. */
import { mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PGlite } from "@electric-sql/pglite"
import { pg_trgm } from "@electric-sql/pglite/contrib/pg_trgm"
import { vector } from "@electric-sql/pglite-pgvector"

/** Makes the file; answers where it is. */
export const dumpBrain = async (): Promise<string> => {
  const pglite = await PGlite.create({ extensions: { vector, pg_trgm } })
  await pglite.exec("create extension vector; create extension pg_trgm")
  const dump = await pglite.dumpDataDir("none")
  await pglite.close()
  const file = join(await mkdtemp(join(tmpdir(), "gbrain-dump-")), "brain.tar")
  await writeFile(file, dump.stream())
  return file
}
