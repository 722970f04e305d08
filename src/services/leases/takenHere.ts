/** What this process has taken, whichever of its layers did. */
import { Context, Effect } from "effect"
import { Database } from "../Database.ts"
import { HostProcess } from "../HostProcess.ts"

/** What the fibers of this process hold or ask for, by database: what another layer in this process took is somebody else's. */
const TakenHere = Context.Reference("gbrain/PageLease/TakenHere", {
  defaultValue: () => new Map<unknown, Set<string>>()
})

/** What one process, real or played in a test, has taken of one database. An embedded one has one client. */
export const takenHere = Effect.gen(function* () {
  const all = yield* TakenHere
  const database = yield* Database
  const { host, pid } = yield* HostProcess
  const key = database.kind === "postgres" ? database.label : database
  const ofDatabase = all.get(key) ?? new Set()
  all.set(key, ofDatabase)
  const name = (id: string) => `${host} ${pid} ${id}`
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (ofDatabase.size === 0) all.delete(key)
    })
  )
  return {
    has: (id: string) => ofDatabase.has(name(id)),
    add: (id: string) => ofDatabase.add(name(id)),
    delete: (id: string) => ofDatabase.delete(name(id))
  }
})
