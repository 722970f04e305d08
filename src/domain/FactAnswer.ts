/**
 * Reads a model's answer to the extraction prompt. Servers with structured output answer exact JSON; others wrap it in a
 * markdown fence, put words around it, or get types wrong. What can be understood is kept, what cannot is counted, and only
 * an answer without any usable meaning is malformed, which is worth asking again.
 */
import { Option, Result, Schema } from "effect"
import { isAnonymousSpeaker } from "./conversation/Anonymous.ts"
import { type ExtractedFact, FactKind, maxFactLength, maxFactsPerSegment, Notability } from "./Fact.ts"

/** What was read from an answer. */
export interface FactAnswer {
  readonly facts: ReadonlyArray<ExtractedFact>
  /** Entries that were no facts: not objects, or without a text or a kind. */
  readonly invalid: number
  /** Facts beyond the tenth, left out. */
  readonly surplus: number
  /** Facts left out because they cite only messages that were never shown: made up. */
  readonly unfounded: number
}

/** The answer holds no facts object that can be read; the value says what is wrong with it. */
export type MalformedAnswer = string

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))
const isRecord = Schema.is(Schema.Record(Schema.String, Schema.Unknown))
const isKind = Schema.is(FactKind)
const isNotability = Schema.is(Notability)
const isFinite = Schema.is(Schema.Finite)

/**
 * Reads `text`. `messages` tells how many messages the segment showed the model, numbered from 1.
 */
export const readFactAnswer = (
  text: string,
  messages: number
): Result.Result<FactAnswer, MalformedAnswer> => {
  const items = Option.flatMap(readJson(text), factsOf)
  if (Option.isNone(items)) return Result.fail("the answer is no JSON object with a list of facts")
  const facts: Array<ExtractedFact> = []
  let invalid = 0
  let unfounded = 0
  let surplus = 0
  for (const item of items.value) {
    if (facts.length === maxFactsPerSegment) {
      surplus = items.value.length - facts.length - invalid - unfounded
      break
    }
    const fact = readFact(item)
    if (fact === undefined) invalid++
    else if (fact.messages.length > 0 && !fact.messages.some((id) => id >= 1 && id <= messages)) unfounded++
    else facts.push({ ...fact, messages: fact.messages.filter((id) => id >= 1 && id <= messages) })
  }
  if (facts.length === 0 && invalid > 0 && unfounded === 0)
    return Result.fail("none of the facts in the answer can be read")
  return Result.succeed({ facts, invalid, surplus, unfounded })
}

// Whole text, then what a fence holds, then from the first brace to the last: each is tried once, so that reading
// stays linear in the text.
const readJson = (text: string): Option.Option<unknown> => {
  const trimmed = text.trim()
  const first = trimmed.indexOf("{")
  const last = trimmed.lastIndexOf("}")
  return decodeJson(trimmed).pipe(
    Option.orElse(() => Option.flatMap(fenced(trimmed), decodeJson)),
    Option.orElse(() =>
      first >= 0 && last > first ? decodeJson(trimmed.slice(first, last + 1)) : Option.none()
    ),
    Option.orElse(() => fromFactsKey(trimmed))
  )
}

const fence = "```"

const fenced = (text: string): Option.Option<string> => {
  const open = text.indexOf(fence)
  const start = open < 0 ? -1 : text.indexOf("\n", open)
  const close = start < 0 ? -1 : text.indexOf(fence, start)
  return close < 0 ? Option.none() : Option.some(text.slice(start, close))
}

// Reasoning before the answer may hold braces of its own: start at the brace before the last "facts" key.
const fromFactsKey = (text: string): Option.Option<unknown> => {
  const key = text.lastIndexOf('"facts"')
  const start = key < 0 ? -1 : text.lastIndexOf("{", key)
  const end = text.lastIndexOf("}")
  return start < 0 || end < start ? Option.none() : decodeJson(text.slice(start, end + 1))
}

const factsOf = (json: unknown): Option.Option<ReadonlyArray<unknown>> => {
  if (Array.isArray(json)) return Option.some(json)
  if (!isRecord(json)) return Option.none()
  return Array.isArray(json["facts"]) ? Option.some(json["facts"]) : Option.none()
}

const readFact = (item: unknown): ExtractedFact | undefined => {
  if (!isRecord(item)) return undefined
  const fact = textOf(item["fact"])
  if (fact === "" || typeof item["kind"] !== "string") return undefined
  const entity = textOf(item["entity"])
  const { confidence, kind, messages, notability, unit, value } = item
  return {
    fact: fact.length > maxFactLength ? `${cut(fact, maxFactLength - 3)}...` : fact,
    kind: isKind(kind) ? kind : "fact",
    entity: entity === "" || isAnonymousSpeaker(entity) ? null : entity,
    confidence: isFinite(confidence) ? Math.min(1, Math.max(0, confidence)) : 1,
    notability: isNotability(notability) ? notability : "medium",
    metric: readMetric(item["metric"]),
    value: isFinite(value) ? value : null,
    unit: textOf(unit) || null,
    period: readPeriod(item["period"]),
    messages: Array.isArray(messages) ? messages.filter((id): id is number => Number.isSafeInteger(id)) : []
  }
}

// A database keeps neither the character zero nor half a character, and would refuse the page for one of them.
const textOf = (value: unknown): string =>
  typeof value === "string" ? value.replaceAll("\u0000", "").toWellFormed().trim() : ""

// A cut never leaves half of a character that takes two units.
const cut = (text: string, length: number): string => {
  const unit = text.charCodeAt(length - 1)
  return text.slice(0, unit >= 0xd800 && unit <= 0xdbff ? length - 1 : length)
}

const metricSynonyms: ReadonlyMap<string, string> = new Map([
  ["annual_recurring_revenue", "arr"],
  ["monthly_recurring_revenue", "mrr"],
  ["recurring_revenue", "arr"],
  ["employees", "headcount"],
  ["employee_count", "headcount"],
  ["team_size", "headcount"],
  ["staff", "headcount"],
  ["gross_merchandise_value", "gmv"],
  ["net_revenue_retention", "nrr"],
  ["gross_revenue_retention", "grr"],
  ["customer_acquisition_cost", "cac"],
  ["lifetime_value", "ltv"],
  ["daily_active_users", "dau"],
  ["weekly_active_users", "wau"],
  ["monthly_active_users", "mau"],
  ["cash_burn", "burn_rate"],
  ["burn", "burn_rate"],
  ["churn_rate", "churn"],
  ["customers", "customer_count"],
  ["users", "user_count"]
])

const readMetric = (metric: unknown): string | null => {
  if (typeof metric !== "string") return null
  const name = textOf(metric)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_|_$/g, "")
  return name === "" ? null : (metricSynonyms.get(name) ?? name)
}

const readPeriod = (period: unknown): ExtractedFact["period"] => {
  switch (typeof period === "string" ? period.trim().toLowerCase() : "") {
    case "monthly":
    case "month":
      return "monthly"
    case "quarterly":
    case "quarter":
      return "quarterly"
    case "annual":
    case "annually":
    case "yearly":
    case "year":
      return "annual"
    default:
      return null
  }
}
