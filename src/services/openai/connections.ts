/** Connections to model servers. */
import type Undici from "@effect/platform-node/Undici"
import { Effect } from "effect"

/** The library that makes them. Loaded when a model is asked, not by every command. */
export const loadUndici = Effect.promise(() => import("@effect/platform-node/Undici"))

/**
 * A `fetch` over the connections of `dispatcher`, which goes with the fetch of its own library. The `openai` package asks by
 * address, and sends text.
 */
export const fetchWith =
  (send: typeof Undici.fetch, dispatcher: Undici.Dispatcher) =>
  (input: string | URL | Request, { body, headers, method, signal }: RequestInit = {}): Promise<Response> =>
    send(input instanceof Request ? input.url : input, {
      dispatcher,
      method: method ?? "GET",
      headers: Object.fromEntries(new Headers(headers)),
      body: typeof body === "string" ? body : null,
      signal: signal ?? null
    })
