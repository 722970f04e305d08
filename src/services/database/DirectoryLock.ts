/**
 * One process at a time in an embedded brain's folder. PGlite has no server that would refuse a second writer, and two
 * of them in one data folder destroy it; so the folder is held through a lock file that names its holder. A holder
 * that died is recognised by its process id and superseded, which makes `kill -9` followed by a rerun work at once.
 *
 * The file cannot tell this process from a dead one that had its id, as the first process of a container always has; so a
 * process knows by itself what it holds, and opens nothing twice.
 */
import { Context, Effect, FileSystem, Option, Path, Random, Schema } from "effect"
import { HostProcess } from "../HostProcess.ts"

/** The folder is in use, by another process or by this one. */
export class BrainInUse extends Schema.TaggedError<BrainInUse>()("BrainInUse", {
  directory: Schema.String,
  holderPid: Schema.Int,
  holderHost: Schema.String,
  message: Schema.String
}) {}

// The nonce tells one time of holding from the next; earlier versions wrote none.
const Holder = Schema.fromJsonString(
  Schema.Struct({ pid: Schema.Int, host: Schema.String, nonce: Schema.optionalKey(Schema.String) })
)

const decodeHolder = Schema.decodeUnknownOption(Holder)

const lockName = "gbrain.lock"

/** Attempts at superseding dead holders before giving up; more than one only when several processes race for it. */
const attempts = 5

/** The folders that this process holds: a lock file with our process id is a dead process's when its folder is not among them. */
const HeldHere = Context.Reference("gbrain/DirectoryLock/HeldHere", {
  defaultValue: () => new Set<string>()
})

/**
 * Holds `directory` (created when missing) for the life of the scope. Fails with `BrainInUse`, naming the holder, when
 * another living process has it, or this one already.
 */
export const holdDirectory = Effect.fn("DirectoryLock.holdDirectory")(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const self = yield* HostProcess
  yield* fs.makeDirectory(directory, { recursive: true })
  const lock = path.join(directory, lockName)
  const ours = path.join(directory, `${lockName}.${self.host}.${self.pid}`)
  const nonce = (yield* Random.next).toString(36).slice(2)
  const signed = yield* Schema.encodeEffect(Holder)({ pid: self.pid, host: self.host, nonce })
  const heldHere = yield* HeldHere
  // A folder may have several paths, and a test may play several processes.
  const held = `${self.host} ${self.pid} ${yield* fs.realPath(directory)}`

  const holder = fs.readFileString(lock).pipe(Effect.map(decodeHolder), Effect.orElseSucceed(Option.none))

  // The file appears under its final name with its content already in it: linking is atomic, and fails when it exists.
  const tryHold = Effect.gen(function* () {
    yield* fs.writeFileString(ours, signed)
    return yield* fs.link(ours, lock).pipe(
      Effect.as(true),
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false)),
      Effect.ensuring(Effect.ignore(fs.remove(ours)))
    )
  })

  // Renaming is what one of several competitors wins. If a living holder slipped in between, it gets its lock back.
  const supersede = Effect.gen(function* () {
    const aside = `${ours}.stale`
    yield* fs.rename(lock, aside)
    const moved = yield* fs
      .readFileString(aside)
      .pipe(Effect.map(decodeHolder), Effect.orElseSucceed(Option.none))
    if (Option.exists(moved, (it) => isLiving(self, it))) yield* Effect.ignore(fs.link(aside, lock))
    yield* fs.remove(aside)
  })

  const takeFile: Effect.Effect<void, BrainInUse | Effect.Error<typeof tryHold>> = Effect.gen(function* () {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (yield* tryHold) return
      const found = yield* holder
      if (Option.exists(found, (it) => isLiving(self, it)))
        return yield* inUse(directory, lock, self.host, found)
      yield* Effect.ignore(supersede)
    }
    return yield* inUse(directory, lock, self.host, yield* holder)
  })

  // Whoever removed our file by hand may have opened the folder elsewhere: a file that is not ours stays.
  const removeFile = Effect.gen(function* () {
    if ((yield* fs.readFileString(lock)) === signed) yield* fs.remove(lock)
  })

  const forget = Effect.sync(() => heldHere.delete(held))

  // Looked up and noted in one step, before anything is waited for: of two fibers one finds the other's note.
  const acquire = Effect.suspend(() => {
    if (heldHere.has(held)) return Effect.fail(inUseHere(directory, self))
    heldHere.add(held)
    return Effect.onError(takeFile, () => forget)
  })

  yield* Effect.acquireRelease(acquire, () => Effect.andThen(Effect.ignore(removeFile), forget))
})

// A holder on another host (a shared folder) cannot be examined from here, so it is taken to be alive. One with our own process id
// is dead: what this process holds it knows.
const isLiving = (self: HostProcess["Service"], holder: typeof Holder.Type): boolean =>
  holder.host !== self.host || (holder.pid !== self.pid && self.isAlive(holder.pid))

const inUseHere = (directory: string, { host, pid }: HostProcess["Service"]) =>
  new BrainInUse({
    directory,
    holderPid: pid,
    holderHost: host,
    message:
      `The embedded brain in ${directory} is open in this process already (pid ${pid}). ` +
      `Use the one that is open, or close it first: a second database in the same files would destroy them.`
  })

const inUse = (
  directory: string,
  lock: string,
  ourHost: string,
  holder: Option.Option<typeof Holder.Type>
) => {
  const { host, pid } = Option.getOrElse(holder, () => ({ pid: 0, host: "unknown host" }))
  return new BrainInUse({
    directory,
    holderPid: pid,
    holderHost: host,
    message:
      `The embedded brain in ${directory} is open in another process (pid ${pid} on ${host}). ` +
      `Wait for it or stop it. ${host === ourHost ? "" : `If it is gone for good, as after the restart of a container, remove ${lock}. `}` +
      `Brains that several processes use at once belong on Postgres: gbrain init --url URL.`
  })
}
