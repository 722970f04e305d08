/**
 * Reading a page and planning what to ask about it: no model is called and nothing is written, so that a dry run does
 * exactly what a run does.
 */
import { DateTime, Effect, Option } from "effect"
import { parseConversation } from "../../domain/conversation/Parse.ts"
import { renderSegment } from "../../domain/conversation/Render.ts"
import {
  defaultSegmentOptions,
  type Segment,
  segmentConversation
} from "../../domain/conversation/Segment.ts"
import { pageVersionToken, transcriptVersionToken } from "../../domain/PageVersion.ts"
import { type Candidate, type ConversationPage, Conversations } from "../../services/Conversations.ts"
import { sha256Hex } from "../../services/Sha256.ts"
import { type Body, namedTranscript, readBody, type UnreadTranscript } from "./body.ts"
import { answerKey } from "./prompt.ts"
import type { Question } from "./segment.ts"

/** A page that was read: its text and the version that a mark will name. */
export interface ReadPage {
  readonly page: ConversationPage
  readonly body: Exclude<Body, { readonly _tag: "TooLarge" }>
  readonly versionToken: string
}

/** A segment and how it is asked about. */
export interface AskedSegment {
  readonly segment: Segment
  readonly question: Question
}

/** Loads a page and its text; answers why not, when there is nothing to work on. */
export const readPage = Effect.fn("readPage")(function* (id: number, repositoryPath: Option.Option<string>) {
  const conversations = yield* Conversations
  const loaded = yield* conversations.load(id)
  if (Option.isNone(loaded) || loaded.value.deleted) return { _tag: "Disappeared" as const }
  const page = loaded.value
  const body = yield* readBody(page, repositoryPath)
  if (body._tag === "TooLarge") return { _tag: "TooLarge" as const, bytes: body.bytes, of: body.of }
  return { _tag: "Read" as const, page, body, versionToken: versionOf(page, body) }
})

const versionOf = (page: ConversationPage, body: ReadPage["body"]): string => {
  const versioned = {
    title: page.title,
    type: page.type,
    compiledTruth: page.compiled_truth,
    timeline: page.timeline,
    frontmatter: page.frontmatter,
    contentHash: page.content_hash,
    effectiveDate: page.effective_date
  }
  // A page that names a transcript is told by what was read, also while the file is not there.
  if (Option.isNone(namedTranscript(page))) return pageVersionToken(versioned, sha256Hex)
  const halves = [page.compiled_truth, page.timeline].filter((half) => half !== "")
  return transcriptVersionToken(
    versioned,
    body._tag === "Transcript" ? body.text : halves.join("\n\n"),
    sha256Hex
  )
}

/**
 * How this text of the page was marked for a run of `model`, if it was. A page whose transcript cannot be read is not taken for "not
 * applicable", whoever marked it so.
 */
export const markOf = Effect.fnUntraced(function* (candidate: Candidate, read: ReadPage, model: string) {
  const mark = yield* (yield* Conversations).markOf(candidate, read.versionToken, model)
  const unread = Option.isSome(unreadTranscript(read))
  return Option.filter(mark, (it) => it !== "not-applicable" || !unread)
})

/** The transcript that a page names and that could not be read. */
export const unreadTranscript = ({ body }: ReadPage) =>
  body._tag === "Page" ? body.unread : Option.none<UnreadTranscript>()

/** What is made of a page: the questions about it, or why there are none. */
export type Plan = ReturnType<typeof planPage>

/** Parses and cuts a page, and works out what would be asked. Pure but for the digest. */
export const planPage = ({ body, page }: ReadPage, model: string) => {
  const parsed = parseConversation(body.text, {
    date: frontmatterDay(page) ?? effectiveDay(page),
    timezone: frontmatterText(page, "timezone")
  })
  if (parsed._tag === "NotAConversation") return parsed
  const minutes = Number(page.frontmatter["conversation_gap_minutes"])
  const segments = segmentConversation(parsed, {
    ...defaultSegmentOptions,
    ...(Number.isFinite(minutes) && minutes > 0 ? { gapMillis: minutes * 60_000 } : {})
  })
  const asked = segments.map((segment): AskedSegment => {
    const rendered = renderSegment(segment, page)
    return {
      segment,
      question: { key: answerKey(model, rendered), rendered, messages: segment.messages.length }
    }
  })
  return { _tag: "Planned" as const, conversation: parsed, asked }
}

// YAML reads a bare date as a date, and the database keeps it as text in full.
const frontmatterText = (page: ConversationPage, key: string): string | undefined => {
  const value = page.frontmatter[key]
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined
}

// What is no day ("Feb 14, 2025", the 30th of February) tells nothing, and does not stand before what does.
const frontmatterDay = (page: ConversationPage): string | undefined => {
  const text = frontmatterText(page, "date")?.slice(0, 10) ?? ""
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const day = Option.map(DateTime.make(`${text}T00:00:00Z`), DateTime.formatIsoDateUtc)
  return Option.contains(day, text) ? text : undefined
}

// When a page was written says nothing of when the conversation was.
const effectiveDay = (page: ConversationPage): string | undefined =>
  page.effective_date === null || page.effective_date_source === "fallback"
    ? undefined
    : Option.getOrUndefined(Option.map(DateTime.make(page.effective_date), DateTime.formatIsoDateUtc))
