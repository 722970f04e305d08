/** How much there is to extract, whether it may be, and whether its facts can be replaced quickly. */
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { BrainConfig, isSwitchedOff } from "../../services/BrainConfig.ts"
import { isSupersededIndexed, supersededIndexByHand } from "../../services/facts/supersededIndex.ts"
import { conversationBacklog } from "../extract-conversation-facts/backlog.ts"
import { ok, warn } from "./Check.ts"

/** A backlog up to this is the ordinary state of a brain that grows; gbrain's value. */
const smallBacklog = 10

/** Whether more conversations wait than a brain that grows always has. */
export const backlog = Effect.gen(function* () {
  const counts = yield* conversationBacklog()
  const text = `${counts.complete} of ${counts.total} conversation pages done, ${counts.toDo} to do, ${counts.notApplicable} not applicable`
  return counts.toDo > smallBacklog
    ? warn("conversation_facts_backlog", text, "gbrain extract-conversation-facts --workers 20")
    : ok("conversation_facts_backlog", text)
})

// With fewer facts it makes no difference that anybody notices.
const manyFacts = 10_000

/** Whether the index is there that replacing facts needs in a large brain. */
export const facts = Effect.gen(function* () {
  const name = "facts_superseded_by_index"
  if (yield* isSupersededIndexed) return ok(name, "there")
  const sql = yield* SqlClient.SqlClient
  const some = yield* sql`select 1 from facts offset ${manyFacts} limit 1`
  if (some.length === 0) return ok(name, "not needed yet; the next extraction makes it")
  return warn(
    name,
    "each fact that is replaced has the database read all facts; an extraction makes the index, if it may and nobody keeps it from that",
    supersededIndexByHand
  )
})

/** Whether extraction is switched off. */
export const extractionSwitch = Effect.gen(function* () {
  const value = yield* (yield* BrainConfig).get("facts.extraction_enabled")
  return Option.exists(value, isSwitchedOff)
    ? warn(
        "extraction_enabled",
        "extraction is switched off in this brain",
        "gbrain config set facts.extraction_enabled true"
      )
    : ok("extraction_enabled", "on")
})
