/** How an answer travels: whole, or in one of the ways in which answers get lost. */
import type { ServerResponse } from "node:http"
import type { Rule } from "./Settings.ts"

/** Sends a whole answer. */
export const sendWhole = (
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string
): void => {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) })
  response.end(body)
}

/** Sends a 200 with JSON the way the rule's fault wants it. Other faults than those of transport are sent whole. */
export const sendAnswer = (
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  body: string,
  rule: Rule | undefined
): void => {
  const all = { ...headers, "content-type": "application/json" }
  switch (rule?.fault) {
    case "trickle":
      return trickle(response, all, Buffer.from(body), rule.paceMs ?? 50)
    case "reset":
      return breakOff(response, all, Buffer.from(body))
    case "half-json":
      return sendWhole(response, 200, all, body.slice(0, Math.floor(body.length / 2)))
    case "empty-body":
      return sendWhole(response, 200, all, "")
    case "not-json":
      return sendWhole(response, 200, { ...headers, "content-type": "text/plain" }, "It works!\n")
    default:
      return sendWhole(response, 200, all, body)
  }
}

const pieces = 20

const trickle = (
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  paceMs: number
): void => {
  response.writeHead(200, { ...headers, "content-length": body.length })
  const size = Math.ceil(body.length / pieces)
  let sent = 0
  const next = () => {
    if (response.destroyed) return
    response.write(body.subarray(sent, sent + size))
    sent += size
    if (sent >= body.length) response.end()
    else setTimeout(next, paceMs)
  }
  next()
}

const breakOff = (
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  body: Buffer
): void => {
  response.writeHead(200, { ...headers, "content-length": body.length })
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.resetAndDestroy())
}
