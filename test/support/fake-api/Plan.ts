/** Which rule of the plan concerns a call. Remembers how often each message was tried, and how often each rule has acted. */
import { uniform } from "./Chance.ts"
import type { EndpointName, Fault, Rule } from "./Settings.ts"

/** A call as the plan sees it. */
export interface PlannedCall {
  readonly endpoint: EndpointName
  /** The user message, the texts to embed, or the model's id. */
  readonly texts: ReadonlyArray<string>
  /** Names the message: the same message has the same name. */
  readonly hash: string
  /** Whether a fault can happen to this call at all. */
  readonly admits: (fault: Fault) => boolean
}

/** What the plan has for a call. */
export interface Planned {
  readonly rule: Rule | undefined
  /** Which attempt at this message it is, from 1. */
  readonly attempt: number
}

/** A plan in progress. */
export interface Plan {
  /** Counts the call and decides; rules and seed may differ from call to call. */
  readonly next: (call: PlannedCall, rules: ReadonlyArray<Rule>, seed: number) => Planned
}

/** A plan that has seen no call. */
export const makePlan = (): Plan => {
  const calls = { chat: 0, embeddings: 0, models: 0 }
  const attempts = new Map<string, number>()
  const acted = new Map<Rule, number>()
  return {
    next: (call, rules, seed) => {
      const nth = (calls[call.endpoint] += 1)
      const name = `${call.endpoint} ${call.hash}`
      const attempt = (attempts.get(name) ?? 0) + 1
      attempts.set(name, attempt)
      for (const [index, rule] of rules.entries()) {
        const times = acted.get(rule) ?? 0
        if (
          (rule.endpoint === undefined ? call.endpoint === "models" : rule.endpoint !== call.endpoint) ||
          !call.admits(rule.fault) ||
          (rule.nth !== undefined && !rule.nth.includes(nth)) ||
          (rule.firstAttempts !== undefined && attempt > rule.firstAttempts) ||
          (rule.times !== undefined && times >= rule.times) ||
          !contains(call.texts, rule.contains) ||
          (rule.probability !== undefined &&
            uniform(`${seed}/${index}/${name}/${attempt}`) >= rule.probability)
        ) {
          continue
        }
        acted.set(rule, times + 1)
        return { rule, attempt }
      }
      return { rule: undefined, attempt }
    }
  }
}

const contains = (texts: ReadonlyArray<string>, marker: string | undefined): boolean =>
  marker === undefined || texts.some((text) => text.includes(marker))
