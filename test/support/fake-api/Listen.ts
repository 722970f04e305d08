/** The server itself: what is served under /v1, and the doors for those who watch and steer it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Result, Schema, Struct } from "effect"
import { Counters, makeLedger } from "./Ledger.ts"
import { makeServe } from "./Serve.ts"
import { Control, defaultSettings, type Options, type Settings } from "./Settings.ts"
import { sendWhole } from "./Wire.ts"

/** A server that listens. */
export interface Listening {
  readonly port: number
  /** Closes it with all its connections. */
  readonly close: (done: () => void) => void
}

const decodeControl = Schema.decodeUnknownResult(Schema.fromJsonString(Control), {
  onExcessProperty: "error"
})
const decodeTarget = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct(Struct.map(Counters.fields, Schema.optionalKey))),
  { onExcessProperty: "error" }
)

/** Listens on the loopback interface; port 0 is a free one. Calls back with the server or with what prevents it. */
export const listen = (
  options: Options,
  port: number,
  done: (outcome: Result.Result<Listening, Error>) => void
): void => {
  let settings: Settings = { ...defaultSettings, ...options }
  const startedAt = performance.now()
  let held: Array<() => void> = []
  const ledger = makeLedger(() => settings)
  const serve = makeServe({
    settings: () => settings,
    ledger,
    now: () => performance.now() - startedAt,
    date: () => performance.timeOrigin + performance.now(),
    whenReleased: (then) => {
      if (settings.hold) held.push(then)
      else then()
    }
  })

  const control = (response: ServerResponse, body: string) => {
    const decoded = decodeControl(body)
    if (Result.isFailure(decoded)) {
      return sendJson(response, 400, { error: { message: decoded.failure.message } })
    }
    const { resetCounters, ...change } = decoded.success
    settings = { ...settings, ...change }
    if (resetCounters === true) ledger.reset()
    if (!settings.hold) {
      const released = held
      held = []
      for (const resume of released) resume()
    }
    sendJson(response, 200, { ...settings, key: settings.key === null ? null : "set" })
  }

  const wait = (response: ServerResponse, body: string) => {
    const decoded = decodeTarget(body)
    if (Result.isFailure(decoded)) {
      return sendJson(response, 400, { error: { message: decoded.failure.message } })
    }
    void ledger.reached(decoded.success).then(() => sendJson(response, 200, ledger.stats()))
  }

  const route = (request: IncomingMessage, response: ServerResponse, body: string) => {
    const path = pathOf(request.url ?? "/")
    switch (path) {
      case "/healthz":
        return sendJson(response, 200, { status: "ok" })
      case "/__stats":
        return sendJson(response, 200, ledger.stats())
      case "/__log":
        return sendJson(response, 200, ledger.log())
      case "/__control":
        return control(response, body)
      case "/__wait":
        return wait(response, body)
      default:
        return serve(request, response, path, body)
    }
  }

  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => route(request, response, Buffer.concat(chunks).toString("utf8")))
  })
  // Clients keep connections for longer than Node's five seconds, and a held call is no slow client.
  server.keepAliveTimeout = 120_000
  server.requestTimeout = 0
  server.once("error", (error) => done(Result.fail(error)))
  server.listen(port, "127.0.0.1", 4096, () => {
    const address = server.address()
    done(
      Result.succeed({
        port: typeof address === "object" && address !== null ? address.port : port,
        close: (closed) => {
          server.close(() => closed())
          server.closeAllConnections()
        }
      })
    )
  })
}

const sendJson = (response: ServerResponse, status: number, body: unknown) =>
  sendWhole(response, status, { "content-type": "application/json" }, JSON.stringify(body))

const pathOf = (url: string): string => {
  const path = url.replace(/\?.*$/s, "")
  if (!path.includes("%")) return path
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
