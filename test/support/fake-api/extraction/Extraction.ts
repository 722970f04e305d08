/**
 * The model, played by rules: reads a transcript and writes down the facts that its statements make. Small, deterministic
 * and sensible enough that a person who reads a demo's facts finds what was said.
 */
import { readTranscript } from "../Transcript.ts"
import { amountOf } from "./Amounts.ts"
import { confidenceOf, type Kind, kindOf, notabilityOf } from "./Cues.ts"
import { withoutFirstPerson } from "./FirstPerson.ts"
import { isPlaceholder, nameIn } from "./Names.ts"
import { statementsOf } from "./Sentences.ts"

/** A fact as it stands in the answer. */
export interface Fact {
  readonly fact: string
  readonly kind: Kind
  readonly entity: string | null
  readonly confidence: number
  readonly notability: "high" | "medium" | "low"
  readonly metric: string | null
  readonly value: number | null
  readonly unit: string | null
  readonly period: "monthly" | "quarterly" | "annual" | null
  /** Numbers of the lines that state it; empty when lines have none. */
  readonly messages: ReadonlyArray<number>
}

const most = 10

/** The facts of the transcript in `message`, at most ten, in the order they were said; the same claim only once. */
export const extractFacts = (message: string): ReadonlyArray<Fact> => {
  const facts = new Map<string, Fact>()
  for (const line of readTranscript(message)) {
    for (const statement of statementsOf(line.text)) {
      const fact = withoutFirstPerson(statement, line.speaker)
      const before = facts.get(fact)
      if (before === undefined && facts.size === most) return [...facts.values()]
      const cited = [...(before?.messages ?? []), ...(line.id === undefined ? [] : [line.id])]
      const messages = [...new Set(cited)]
      facts.set(
        fact,
        before === undefined
          ? { fact, ...describe(statement, line.speaker), messages }
          : { ...before, messages }
      )
    }
  }
  return [...facts.values()]
}

const describe = (statement: string, speaker: string): Omit<Fact, "fact" | "messages"> => {
  const kind = kindOf(statement)
  return {
    kind,
    entity: nameIn(statement) ?? (isPlaceholder(speaker) ? null : speaker),
    confidence: confidenceOf(statement, kind),
    notability: notabilityOf(statement),
    ...amountOf(statement)
  }
}
