/** Answers to chat calls, as they should be and as they come when the model misbehaves. */
import { extractFacts } from "./extraction/Extraction.ts"
import { type ChatCall, tokensOf } from "./Requests.ts"
import type { Fault } from "./Settings.ts"

/** An answer that is ready to be sent and billed. */
export interface Completion {
  readonly body: string
  readonly promptTokens: number
  readonly completionTokens: number
}

/** Answers a call: with the facts of the transcript in the user message, and with the fault if it is one of a chat model. */
export const complete = (call: ChatCall, fault: Fault | undefined, serial: number): Completion => {
  const said = say(call.user, fault)
  const content = said.content === null ? null : cut(said.content, call.maxTokens)
  const refusal = said.refusal === null ? null : cut(said.refusal, call.maxTokens)
  const wasCut = content !== said.content || refusal !== said.refusal
  const { promptTokens } = call
  const completionTokens = tokensOf(content ?? refusal ?? "")
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 }
  }
  const body = JSON.stringify({
    id: `chatcmpl-${serial}`,
    object: "chat.completion",
    created: 0,
    model: call.model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content, refusal },
        logprobs: null,
        finish_reason: wasCut ? "length" : said.finish
      }
    ],
    ...(fault === "no-usage" ? {} : { usage })
  })
  return { body, promptTokens, completionTokens }
}

interface Said {
  readonly content: string | null
  readonly refusal: string | null
  readonly finish: "stop" | "length" | "content_filter"
}

const say = (user: string, fault: Fault | undefined): Said => {
  const facts = extractFacts(user)
  const plain = JSON.stringify({ facts })
  const answer = (content: string): Said => ({ content, refusal: null, finish: "stop" })
  switch (fault) {
    case "cut":
      return { content: plain.slice(0, Math.ceil(plain.length / 2)), refusal: null, finish: "length" }
    case "refusal":
      return { content: null, refusal: "I'm sorry, I can't help with that.", finish: "stop" }
    case "content-filter":
      return { content: null, refusal: null, finish: "content_filter" }
    case "wrong-types":
      return answer(JSON.stringify({ facts: facts.map(mistyped) }))
    case "facts-object":
      return answer(
        JSON.stringify({ facts: Object.fromEntries(facts.map((fact, at) => [`fact ${at + 1}`, fact])) })
      )
    case "1000-facts":
      return answer(JSON.stringify({ facts: Array.from({ length: 1000 }, (_, at) => madeUp(at + 1)) }))
    case "long-facts":
      return answer(
        JSON.stringify({
          facts: (facts.length === 0 ? [madeUp(1)] : facts).map((fact) => ({
            ...fact,
            fact: `${fact.fact} `.repeat(10_000).slice(0, 10_000)
          }))
        })
      )
    case "fenced":
      return answer(`\`\`\`json\n${plain}\n\`\`\``)
    case "chatter":
      return answer(`Sure! Here are the facts I found:\n\n${plain}\n\nLet me know if you need anything else.`)
    case "reasoning":
      return answer(`<think>The form is {"facts": [...]}, so {one object}. Let me see.</think>\n${plain}`)
    case "prose":
      return answer("The people in this conversation talk about several things, and nothing stands out.")
    case "empty-content":
      return answer("")
    default:
      return answer(plain)
  }
}

const mistyped = (fact: ReturnType<typeof extractFacts>[number]) => ({
  ...fact,
  confidence: "high",
  entity: 42,
  value: fact.value === null ? null : String(fact.value),
  messages: fact.messages.map(String)
})

const madeUp = (number: number) => ({
  fact: `Statement number ${number} was made in the conversation`,
  kind: "fact",
  entity: null,
  confidence: 0.9,
  notability: "low",
  metric: null,
  value: null,
  unit: null,
  period: null,
  messages: []
})

/** `text` within a limit of tokens, never ending in half a character. */
const cut = (text: string, maxTokens: number | undefined): string => {
  if (maxTokens === undefined || tokensOf(text) <= maxTokens) return text
  const bytes = Buffer.from(text)
  let end = maxTokens * 4
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString("utf8", 0, end)
}
