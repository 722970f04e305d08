/** Connections to model servers. */
import type Undici from "@effect/platform-node/Undici"
import { Effect, type Scope } from "effect"

/** What the `openai` package sends its requests with. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * A `fetch` over connections of our own, closed with the scope. It does what the `openai` package needs, which asks by address, sends
 * text and reads the whole answer, and redirects are followed; without streams it takes a third less of the processor. How long an answer
 * may take is the Clock's to say. Rejects when nothing answers, when an answer is cut, and when `signal` aborts.
 */
export const makeFetch: Effect.Effect<Fetch, never, Scope.Scope> = Effect.gen(function* () {
  // Loaded when a model is asked, not by every command.
  const { Agent, interceptors, request } = yield* Effect.promise(() => import("@effect/platform-node/Undici"))
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ headersTimeout: 0, bodyTimeout: 0 })),
    (opened) => Effect.promise(() => opened.destroy())
  )
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }))
  return async (input, { body, headers, method, signal } = {}) => {
    const answer = await request(input instanceof Request ? input.url : input, {
      dispatcher,
      method: isMethod(method) ? method : "GET",
      headers: {
        ...Object.fromEntries(headers instanceof Headers ? headers : new Headers(headers)),
        "accept-encoding": "identity"
      },
      body: typeof body === "string" ? body : null,
      signal: signal ?? null
    })
    const text = await answer.body.text()
    const response = new Response(null, {
      status: answer.statusCode,
      headers: Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one])
      )
    })
    // The text is there: it is not encoded to bytes, to be streamed and decoded again.
    return Object.assign(response, { text: () => Promise.resolve(text) })
  }
})

const isMethod = (method: string | undefined): method is Undici.Dispatcher.HttpMethod =>
  method === "GET" || method === "POST"
