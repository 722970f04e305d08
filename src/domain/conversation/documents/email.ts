/**
 * E-mail as text: blocks of headers, each followed by a body. A thread has several; one alone is a conversation of one
 * message. What a reply quotes is already there as the message it quotes, and is left out.
 */
import { cleanSpeaker } from "../Names.ts"
import type { RawConversation, RawMessage } from "../RawMessage.ts"
import type { Stamp } from "../Stamp.ts"

const header =
  /^\**(From|To|Cc|Bcc|Date|Sent|Subject|Reply-To|Message-ID|In-Reply-To|Importance|Attachments):\**:? ?(.{0,200})/i
const attribution =
  /^(?:On .{4,120}wrote|Am .{4,120}schrieb.{0,60}|Le .{4,120}a écrit ?|El .{4,120}escribió ?):$/

/** Reads e-mail; undefined when the text does not begin a message with From and a date. */
export const readEmail = (lines: ReadonlyArray<string>): RawConversation | undefined => {
  const messages: Array<RawMessage> = []
  let at = 0
  let body: Array<string> = []
  let current: { readonly speaker: string; readonly stamp: Stamp; readonly line: number } | undefined

  const flush = () => {
    if (current === undefined) return
    messages.push({ ...current, text: body.join("\n").trim(), heading: undefined })
    body = []
  }

  while (at < lines.length) {
    const block = readHeaders(lines, at)
    if (block !== undefined) {
      flush()
      current = { speaker: block.speaker, stamp: block.stamp, line: at + 1 }
      if (block.subject !== "" && messages.length === 0) body.push(block.subject)
      at = block.end
      continue
    }
    const line = lines[at]?.trim() ?? ""
    at++
    // Mail programs wrap: "On Fri, Feb 14, 2025 at 8:58 PM Dana" and, on the next line, "<dana@x.org> wrote:".
    const wrapped =
      /^(On|Am|Le|El) /.test(line) && attribution.test(`${line} ${lines[at]?.trim() ?? ""}`.slice(0, 200))
    if (wrapped) at++
    const quoted =
      wrapped ||
      line.startsWith(">") ||
      attribution.test(line.slice(0, 200)) ||
      /^_{5,}$/.test(line.slice(0, 200)) ||
      /^-{2,} ?(Original|Forwarded) [Mm]essage ?-{2,}$/.test(line.slice(0, 60))
    if (!quoted && line !== "" && current !== undefined) body.push(line)
    // Text before the first message, other than headings, means that this is a document about e-mail.
    else if (current === undefined && line !== "" && !/^(#|---|\*\*\*|>)/.test(line)) return undefined
  }
  flush()
  const spoken = messages.filter((message) => message.text !== "")
  return spoken.length === 0 ? undefined : { formats: ["email"], messages: spoken }
}

/** A block of headers is no longer than this; what goes on like one is text, and is not looked at again and again. */
const mostHeaderLines = 60

const readHeaders = (lines: ReadonlyArray<string>, start: number) => {
  const found = new Map<string, string>()
  let end = start
  for (; end < lines.length && end - start < mostHeaderLines; end++) {
    const line = lines[end] ?? ""
    // A header goes on in the next line, when that begins with a space.
    if (found.size > 0 && /^[ \t]+\S/.test(line.slice(0, 80))) continue
    const match = header.exec(line.trim().slice(0, 260))
    if (match === null) break
    found.set((match[1] ?? "").toLowerCase(), (match[2] ?? "").trim())
  }
  const from = found.get("from")
  const date = found.get("date") ?? found.get("sent")
  if (from === undefined || date === undefined) return undefined
  return { speaker: senderOf(from), stamp: stampOf(date), subject: found.get("subject") ?? "", end }
}

/** `"Ana Ruiz" <ana@x.org>` is Ana Ruiz; a bare address is the part before the @. */
const senderOf = (from: string): string => {
  const open = from.indexOf("<")
  const name = (open > 0 ? from.slice(0, open) : from).replace(/["']/g, "").trim()
  const at = name.indexOf("@")
  return cleanSpeaker(at > 0 ? name.slice(0, at) : name)
}

// A zone comes after the time of day: the "-2025" of 14-Feb-2025 is none.
const zoneAfterTime =
  /\d:\d{2}(?::\d{2}(?:\.\d{1,9})?)? ?(?:[AP]M ?)?(?:[+-]\d{2}:?\d{2}|GMT|UTC|Z|[ECMP][SD]T)\b/i

const stampOf = (text: string): Stamp => {
  // Without a zone the words mean a local time, which Date.parse would take in the zone of whoever runs this.
  const zoned = zoneAfterTime.test(text.slice(0, 200))
  const millis = Date.parse(zoned ? text.replace(/\([^)]{0,40}\)/, "") : `${text.replace(/\bat\b/i, "")} UTC`)
  if (Number.isNaN(millis)) return { kind: "none" }
  const date = new Date(millis)
  const stamp = {
    kind: "full" as const,
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    clock: { hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() }
  }
  return zoned ? { ...stamp, offsetMinutes: 0 } : stamp
}
