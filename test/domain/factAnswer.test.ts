/** What is made of a model's answer. */
import { describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import { isAnonymousSpeaker } from "../../src/domain/conversation/Anonymous.ts"
import { readFactAnswer } from "../../src/domain/FactAnswer.ts"

const plain = {
  fact: "Ana moved to Porto.",
  kind: "event",
  entity: "Ana Ruiz",
  confidence: 0.9,
  notability: "high",
  metric: null,
  value: null,
  unit: null,
  period: null,
  messages: [1]
}

/** Reads facts that differ from a plain one, of a segment of three messages. */
const read = (...facts: ReadonlyArray<object | string>) =>
  Result.getOrThrow(
    readFactAnswer(
      JSON.stringify({
        facts: facts.map((fact) => (typeof fact === "string" ? fact : { ...plain, ...fact }))
      }),
      3
    )
  )

describe("an answer", () => {
  it("is read as it stands, and inside words, fences and reasoning", () => {
    const json = JSON.stringify({ facts: [plain] })
    for (const text of [
      json,
      `Here: ${json} Done.`,
      `\`\`\`json\n${json}\n\`\`\``,
      `{hm} so {"a" ... ${json}`,
      `[${JSON.stringify(plain)}]`
    ]) {
      expect([text, Result.map(readFactAnswer(text, 3), (answer) => answer.facts)]).toEqual([
        text,
        Result.succeed([plain])
      ])
    }
    expect(Result.isFailure(readFactAnswer("I cannot say.", 3))).toBe(true)
    expect(Result.isFailure(readFactAnswer(JSON.stringify({ facts: [{ fact: "x" }] }), 3))).toBe(true)
    expect(read()).toEqual({ facts: [], invalid: 0, surplus: 0, unfounded: 0 })
  })

  it("loses what cites only messages that were never shown, and citations that do not exist", () => {
    const answer = read({ messages: [4] }, { messages: [0, -1] }, { messages: [2, 9] }, { messages: [] })
    expect(answer.unfounded).toBe(2)
    expect(answer.facts.map((fact) => fact.messages)).toEqual([[2], []])
    // An answer that is made up is an answer: asking again would not make it truer.
    expect(read({ messages: [7] })).toMatchObject({ facts: [], unfounded: 1 })
  })

  it("has ten facts at most, and tells how many more there were", () => {
    const answer = read(
      "no fact",
      { messages: [9] },
      ...Array.from({ length: 13 }, (_, n) => ({ fact: `Fact ${n}.` }))
    )
    expect(answer).toMatchObject({ invalid: 1, unfounded: 1, surplus: 3 })
    expect(answer.facts.map((fact) => fact.fact)).toEqual(Array.from({ length: 10 }, (_, n) => `Fact ${n}.`))
  })

  it("is about nobody where the entity is a placeholder, which is not said of names", () => {
    const placeholders = [
      "Speaker A",
      "speaker_01",
      "**Speaker 2:**",
      "Participant 2",
      "spk_0",
      "Unknown",
      "Guest",
      "Other"
    ]
    expect(read(...placeholders.map((entity) => ({ entity }))).facts.map((fact) => fact.entity)).toEqual(
      placeholders.map(() => null)
    )
    const names = ["Speaker Pelosi", "Guest House Ltd", "Otherworld", "Anonymous Coffee"]
    expect(names.filter(isAnonymousSpeaker)).toEqual([])
    expect(read(...names.map((entity) => ({ entity }))).facts.map((fact) => fact.entity)).toEqual(names)
  })

  it("fits the table: lengths, ranges, names of metrics and periods", () => {
    const long = read(
      { fact: "x".repeat(501) },
      { fact: "y".repeat(500) },
      { fact: `${"z".repeat(496)}😀😀😀` }
    ).facts
    expect(long.map(({ fact }) => [fact.length, fact.slice(-4)])).toEqual([
      [500, "x..."],
      [500, "yyyy"],
      [499, "z..."]
    ])
    expect(
      read({ confidence: 7 }, { confidence: -1 }, { confidence: "high" }).facts.map((it) => it.confidence)
    ).toEqual([1, 0, 1])
    expect(
      read(
        { metric: "Team size" },
        { metric: "Annual recurring revenue" },
        { metric: "Seats / floor" },
        { metric: 3 }
      ).facts.map((it) => it.metric)
    ).toEqual(["headcount", "arr", "seats_floor", null])
    expect(
      read({ period: "Yearly" }, { period: "month" }, { period: "daily" }).facts.map((it) => it.period)
    ).toEqual(["annual", "monthly", null])
    expect(read({ kind: "rumour", notability: "huge", value: "12" }).facts[0]).toMatchObject({
      kind: "fact",
      notability: "medium",
      value: null
    })
    expect(read({ fact: "a\u0000b\ud800" }).facts[0]?.fact).toBe("ab\ufffd")
  })
})
