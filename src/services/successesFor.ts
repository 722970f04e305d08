/**
 * Remembering what succeeded only. Effect's caches remember failures as well; but a failure says how things were at that moment, a
 * timeout of the database for instance, and nothing about what was asked: whoever asks next asks anew.
 */
import { Duration, Exit } from "effect"

/** The `timeToLive` of a cache (`Cache.makeWith`, `Effect.cachedWithTTL`) that remembers what succeeded for so long, and no failure. */
export const successesFor =
  (remembered: Duration.Input) =>
  <A, E>(exit: Exit.Exit<A, E>): Duration.Input =>
    Exit.isSuccess(exit) ? remembered : Duration.zero
