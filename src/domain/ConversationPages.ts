/**
 * gbrain's contract for conversation pages: which pages are conversations, how rows of extracted facts are signed, and
 * how a finished page is marked. Every string here is one that gbrain compares exactly; see `docs/decisions`.
 */
import { Schema } from "effect"

/** The types that can be asked for, in gbrain's order. */
export const ConversationType = Schema.Literals([
  "conversation",
  "meeting",
  "slack",
  "email",
  "imessage",
  "imessage-daily"
])

/** A type that can be asked for. */
export type ConversationType = typeof ConversationType.Type

/** All of them. */
export const conversationTypes: ReadonlyArray<ConversationType> = ConversationType.literals

/** The values of `pages.type` that a type stands for: `slack` also means its daily and thread pages. */
export const pageTypesOf = (types: ReadonlyArray<ConversationType>): ReadonlyArray<string> =>
  types.flatMap((type): ReadonlyArray<string> => {
    switch (type) {
      case "slack":
        return ["slack", "slack-dm-day", "slack-thread"]
      case "email":
        return ["email", "email-digest"]
      default:
        return [type]
    }
  })

/** `facts.source` of every fact this command writes, and the prefix of its marks. */
export const factSource = "cli:extract-conversation-facts"

/** How a page's outcome is marked. */
export type Mark = "complete" | "not-applicable"

/** `facts.source` of a mark. */
export const markSource = (mark: Mark): string =>
  mark === "complete" ? `${factSource}:terminal:v2` : `${factSource}:non-extractable:v2`

/** `facts.fact` of a mark. */
export const markText = (mark: Mark): string =>
  mark === "complete" ? "EXTRACTION_COMPLETE" : "EXTRACTION_NOT_APPLICABLE"

/** Every source that marks a page rather than stating a fact, older versions included: what readers leave out. */
export const markSources: ReadonlyArray<string> = [
  markSource("complete"),
  markSource("not-applicable"),
  `${factSource}:terminal`
]

/** `facts.source_session` of a fact. */
export const factSession = (slug: string): string => `${factSource}:${slug}`

/** `facts.source_session` of a mark: which content of the page it is about. */
export const markSession = (mark: Mark, slug: string, versionToken: string): string =>
  `${markSource(mark)}:${slug}:${versionToken}`

/** The id of a page's lease in `gbrain_cycle_locks`. */
export const leaseId = (sourceId: string, slug: string): string =>
  `${factSource.slice(4)}:${sourceId}:${slug}`

/** Pages larger than this are skipped, as gbrain skips them. Bytes of UTF-8. */
export const maxPageBytes = 25 * 1024 * 1024
