/** The example brain has conversations in many transcript formats: each is read. */
import { expect, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"

const brain = new URL("../../../examples/brain/", import.meta.url)

const parsed = globSync("**/*.{md,txt,vtt}", { cwd: brain }).map((file) => {
  const text = readFileSync(new URL(file, brain), "utf8")
  const body = text.replace(/^---\n[\s\S]*?\n---\n/, "")
  return {
    file,
    elsewhere: /^raw_transcript:/m.test(text),
    type: /^type: (\S+)$/m.exec(text)?.[1],
    found: parseConversation(body, { date: "2025-02-14", timezone: undefined })
  }
})

it("a page that is a conversation by its type is one by its text", () => {
  const conversations = parsed.filter(({ elsewhere, type }) => type === "conversation" && !elsewhere)
  expect(conversations.length).toBeGreaterThan(20)
  expect(
    conversations.filter(({ found }) => found._tag === "NotAConversation").map(({ file }) => file)
  ).toEqual([])
})

it("people, companies and concepts are none", () => {
  const others = parsed.filter(({ type }) => type === "person" || type === "company" || type === "concept")
  expect(others.length).toBeGreaterThan(10)
  expect(others.filter(({ found }) => found._tag === "Conversation").map(({ file }) => file)).toEqual([])
})
