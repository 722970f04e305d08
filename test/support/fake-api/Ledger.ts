/** The server's books: what was asked, what became of it, and what it would have cost. */
import { Option, Schema } from "effect"
import * as Money from "../../../src/domain/Money.ts"
import { EndpointName, Fault, type Settings } from "./Settings.ts"

const counters = {
  /** Requests to anything under /v1. */
  requests: Schema.Int,
  chatCalls: Schema.Int,
  /** Calls whose answer was begun to be sent: these are billed. */
  chatAnswers: Schema.Int,
  embeddingCalls: Schema.Int,
  embeddingAnswers: Schema.Int,
  /** Texts in the calls for embeddings. */
  embeddingInputs: Schema.Int,
  /** Chat and embedding calls that are being served now, and the most there were at one time. */
  inFlight: Schema.Int,
  mostInFlight: Schema.Int,
  chatInFlight: Schema.Int,
  mostChatInFlight: Schema.Int,
  /** Answers with status 429. */
  rateLimited: Schema.Int,
  /** Requests whose client went away before it had the whole answer. */
  aborted: Schema.Int,
  /** Milliseconds of latency, drawn and scaled, of the answers. */
  chatLatencyMs: Schema.Finite,
  embeddingLatencyMs: Schema.Finite,
  /** Requests that were counted but not logged. */
  unlogged: Schema.Int
}

/** Numbers that can be waited for. */
export const Counters = Schema.Struct(counters)

/** Numbers that can be waited for. */
export type Counters = typeof Counters.Type

const Bill = Schema.Struct({
  answers: Schema.Int,
  promptTokens: Schema.Int,
  completionTokens: Schema.Int,
  /** Dollars, exactly, as decimal text. */
  usd: Schema.String
})

/** All that was counted. */
export const Stats = Schema.Struct({
  ...counters,
  /** Answers by status. */
  statuses: Schema.Record(Schema.String, Schema.Int),
  /** Planned faults by name. */
  faults: Schema.Record(Schema.String, Schema.Int),
  models: Schema.Record(Schema.String, Bill),
  billed: Bill,
  /** Models that were billed without a price: their dollars are 0. */
  unpriced: Schema.Array(Schema.String)
})

/** All that was counted. */
export type Stats = typeof Stats.Type

/** What became of a request: still open; answered; an error status; the server broke it off; the client went away. */
export const Outcome = Schema.Literals(["open", "answered", "rejected", "broken", "aborted"])

const entryFields = {
  /** From 1, in the order of arrival. */
  number: Schema.Int,
  /** Milliseconds since the server started. */
  atMs: Schema.Finite,
  path: Schema.String,
  endpoint: Schema.NullOr(EndpointName),
  model: Schema.NullOr(Schema.String),
  /** SHA-256 of the user message, or of the texts to embed, joined by line feeds. */
  message: Schema.NullOr(Schema.String),
  /** SHA-256 of each text to embed. */
  inputs: Schema.Array(Schema.String),
  /** How often the same was asked so far, from 1; 0 when the request was refused before it was understood. */
  attempt: Schema.Int,
  fault: Schema.NullOr(Fault),
  status: Schema.NullOr(Schema.Int),
  outcome: Outcome,
  latencyMs: Schema.Finite,
  billed: Schema.Boolean,
  promptTokens: Schema.Int,
  completionTokens: Schema.Int
}

/** One request. */
export const LogEntry = Schema.Struct(entryFields)

/** One request. */
export type LogEntry = typeof LogEntry.Type

/** An entry that is still being written. */
export type OpenEntry = { -readonly [Key in keyof LogEntry]: LogEntry[Key] }

interface OpenBill {
  answers: number
  promptTokens: number
  completionTokens: number
  usd: Money.Money
}

/** The books. */
export interface Ledger {
  /** Writes down that a request came. */
  readonly arrive: (path: string, atMs: number) => OpenEntry
  /** Counts it as a call of its endpoint, which is in flight until `end`. `inputs` are the texts to embed. */
  readonly begin: (entry: OpenEntry, endpoint: EndpointName, inputs: number) => void
  /** Counts a status and the fault that stands in the entry, if any. */
  readonly status: (entry: OpenEntry, status: number) => void
  /** Bills an answer that is about to be sent. */
  readonly bill: (entry: OpenEntry, model: string, promptTokens: number, completionTokens: number) => void
  readonly end: (entry: OpenEntry, outcome: LogEntry["outcome"]) => void
  readonly stats: () => Stats
  readonly log: () => ReadonlyArray<LogEntry>
  /** Resolves as soon as each of these counters is at least as large. */
  readonly reached: (least: Partial<Counters>) => Promise<void>
  /** Forgets all but what is in flight. */
  readonly reset: () => void
}

/** Empty books. Prices and the length of the log are as the settings say at the time. */
export const makeLedger = (settings: () => Settings): Ledger => {
  let counts = { ...nothing }
  let statuses: Record<string, number> = {}
  let faults: Record<string, number> = {}
  let bills = new Map<string, OpenBill>()
  let unpriced = new Set<string>()
  let log: Array<OpenEntry> = []
  let waiting: Array<{ readonly isReached: () => boolean; readonly resolve: () => void }> = []
  const inFlight = new Set<OpenEntry>()

  const changed = () => {
    if (waiting.length === 0) return
    for (const each of waiting.filter((one) => one.isReached())) each.resolve()
    waiting = waiting.filter((one) => !one.isReached())
  }

  return {
    arrive: (path, atMs) => {
      counts.requests++
      const entry: OpenEntry = { ...blank, number: counts.requests, path, atMs }
      if (log.length < settings().logLimit) log.push(entry)
      else counts.unlogged++
      changed()
      return entry
    },
    begin: (entry, endpoint, inputs) => {
      entry.endpoint = endpoint
      if (endpoint === "models") return
      inFlight.add(entry)
      counts.inFlight++
      counts.mostInFlight = Math.max(counts.mostInFlight, counts.inFlight)
      if (endpoint === "chat") {
        counts.chatCalls++
        counts.chatInFlight++
        counts.mostChatInFlight = Math.max(counts.mostChatInFlight, counts.chatInFlight)
      } else {
        counts.embeddingCalls++
        counts.embeddingInputs += inputs
      }
      changed()
    },
    status: (entry, status) => {
      entry.status = status
      statuses[status] = (statuses[status] ?? 0) + 1
      if (entry.fault !== null) faults[entry.fault] = (faults[entry.fault] ?? 0) + 1
      if (status === 429) counts.rateLimited++
      changed()
    },
    bill: (entry, model, promptTokens, completionTokens) => {
      Object.assign(entry, { billed: true, promptTokens, completionTokens })
      if (entry.endpoint === "chat") {
        counts.chatAnswers++
        counts.chatLatencyMs += entry.latencyMs
      } else {
        counts.embeddingAnswers++
        counts.embeddingLatencyMs += entry.latencyMs
      }
      const price = priceOf(settings(), model)
      if (price === undefined) unpriced.add(model)
      const before = bills.get(model) ?? noBill
      const cost =
        price === undefined
          ? Money.zero
          : Money.add(Money.times(price.input, promptTokens), Money.times(price.output, completionTokens))
      bills.set(model, sumOf(before, { answers: 1, promptTokens, completionTokens, usd: cost }))
      changed()
    },
    end: (entry, outcome) => {
      entry.outcome = outcome
      if (outcome === "aborted") counts.aborted++
      if (inFlight.delete(entry)) {
        counts.inFlight--
        if (entry.endpoint === "chat") counts.chatInFlight--
      }
      changed()
    },
    stats: () => ({
      ...counts,
      statuses: { ...statuses },
      faults: { ...faults },
      models: Object.fromEntries([...bills].map(([model, bill]) => [model, shown(bill)])),
      billed: shown([...bills.values()].reduce(sumOf, noBill)),
      unpriced: [...unpriced]
    }),
    log: () => log,
    reached: (least) =>
      new Promise((resolve) => {
        const isReached = () => {
          const current: Readonly<Record<string, number>> = counts
          return Object.entries(least).every(([name, value]) => (current[name] ?? 0) >= value)
        }
        if (isReached()) resolve()
        else waiting.push({ isReached, resolve })
      }),
    reset: () => {
      const { chatInFlight, inFlight } = counts
      counts = { ...nothing, inFlight, chatInFlight, mostInFlight: inFlight, mostChatInFlight: chatInFlight }
      statuses = {}
      faults = {}
      bills = new Map()
      unpriced = new Set()
      log = []
    }
  }
}

const nothing: { -readonly [Key in keyof Counters]: Counters[Key] } = {
  requests: 0,
  chatCalls: 0,
  chatAnswers: 0,
  embeddingCalls: 0,
  embeddingAnswers: 0,
  embeddingInputs: 0,
  inFlight: 0,
  mostInFlight: 0,
  chatInFlight: 0,
  mostChatInFlight: 0,
  rateLimited: 0,
  aborted: 0,
  chatLatencyMs: 0,
  embeddingLatencyMs: 0,
  unlogged: 0
}

const blank: LogEntry = {
  number: 0,
  atMs: 0,
  path: "",
  endpoint: null,
  model: null,
  message: null,
  inputs: [],
  attempt: 0,
  fault: null,
  status: null,
  outcome: "open",
  latencyMs: 0,
  billed: false,
  promptTokens: 0,
  completionTokens: 0
}

const noBill: OpenBill = { answers: 0, promptTokens: 0, completionTokens: 0, usd: Money.zero }

const sumOf = (a: OpenBill, b: OpenBill): OpenBill => ({
  answers: a.answers + b.answers,
  promptTokens: a.promptTokens + b.promptTokens,
  completionTokens: a.completionTokens + b.completionTokens,
  usd: Money.add(a.usd, b.usd)
})

const shown = ({ usd, ...bill }: OpenBill): typeof Bill.Type => ({
  ...bill,
  usd: Money.toDecimal(usd, 12).replace(/\.?0+$/, "")
})

const priceOf = (settings: Settings, model: string) => {
  const price = settings.prices[model]
  if (price === undefined) return undefined
  return Option.getOrUndefined(
    Option.all({
      input: Money.perTokenFromUsdPerMillion(price.input),
      output: Money.perTokenFromUsdPerMillion(price.output)
    })
  )
}
