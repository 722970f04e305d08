/** Tests that are given the same services. */
import { it } from "@effect/vitest"
import { Effect, type Layer, type Scope } from "effect"

/** A maker of tests that run with this layer, each built anew and with a scope of its own. */
export const testsOn =
  <R, LayerError>(layer: Layer.Layer<R, LayerError>) =>
  <E>(name: string, run: () => Effect.Effect<void, E, R | Scope.Scope>, timeout?: number) =>
    it.live(name, () => run().pipe(Effect.scoped, Effect.provide(layer)), timeout)
