/** The headers of e-mail, by the names that mail programs give them in seven languages. */
import { cleanSpeaker } from "../Names.ts"
import type { Stamp } from "../Stamp.ts"
import { stampOf } from "./emailDates.ts"

type Field = "from" | "to" | "date" | "subject" | "other"

const names: Readonly<Record<Field, string>> = {
  from: "from|von|de|van|da",
  to: "to|an|à|para|aan|a",
  date:
    "date|sent|datum|gesendet|gesendet am|envoyé|envoyé le|enviado|enviado el|enviado em|enviada|enviada em|fecha|" +
    "verzonden|inviato|data",
  subject: "subject|betreff|objet|asunto|onderwerp|oggetto|assunto",
  other:
    "cc|bcc|cci|cco|ccn|kopie|copie|reply-to|message-id|in-reply-to|importance|attachments|antwort an|wichtigkeit|" +
    "priorität|anlagen|répondre à|pièces jointes|importancia|datos adjuntos|bijlagen|urgentie|priorità|allegati|" +
    "importância|anexos"
}

const fieldOf: ReadonlyMap<string, Field> = new Map(
  (["from", "to", "date", "subject", "other"] as const).flatMap((field) =>
    names[field].split("|").map((name) => [name, field] as const)
  )
)

const header = /^\**(\p{L}[\p{L} -]{0,20}?)\** ?:\** ?(.{0,200})/u
const address = /[^\s<>()[\]:,;"']{1,64}@[^\s<>()[\]:,;"']{1,190}/

/** The headers of one mail. */
export interface Headers {
  readonly speaker: string
  readonly stamp: Stamp
  readonly subject: string
  /** Whether the sender has an address. */
  readonly addressed: boolean
  /** Whether more than a name and a date says so: `From: Berlin`, `Date: 3 March` are those of a journey too. */
  readonly certain: boolean
}

/** A block of headers is no longer than this; what goes on like one is text, and is not looked at again and again. */
const mostHeaderLines = 60

/**
 * Reads the block of headers that begins at a line. `end` is the line after what looks like headers; where they are none of a
 * mail, none begins before it either.
 */
export const readHeaders = (
  lines: ReadonlyArray<string>,
  start: number
): { readonly headers: Headers | undefined; readonly end: number } => {
  const found = new Map<Field, string>()
  let english = true
  let last: Field | undefined
  let end = start
  for (; end < lines.length && end - start < mostHeaderLines; end++) {
    const line = lines[end] ?? ""
    // A header goes on in the next line, when that begins with a space.
    if (last !== undefined && /^[ \t]+\S/.test(line.slice(0, 80))) {
      if (last !== "other") found.set(last, `${found.get(last)} ${line.slice(0, 200).trim()}`.slice(0, 400))
      continue
    }
    const match = header.exec(line.trim().slice(0, 260).normalize("NFC"))
    const name = match?.[1]?.toLowerCase() ?? ""
    const field = fieldOf.get(name)
    // A second sender is of another mail.
    if (field === undefined || (field === "from" && found.has(field))) break
    if (field === "from") english = name === "from"
    if (!found.has(field)) found.set(field, match?.[2]?.trim() ?? "")
    last = field
  }
  return { headers: headersOf(found, english), end: Math.max(end, start + 1) }
}

const headersOf = (found: ReadonlyMap<Field, string>, english: boolean): Headers | undefined => {
  const from = found.get("from") ?? ""
  const date = found.get("date")
  const subject = found.get("subject")
  const addressed = addressIn(from) !== undefined
  if (senderOf(from) === "" || (date === undefined && (subject === undefined || !addressed))) return undefined
  return {
    speaker: senderOf(from),
    stamp: date === undefined ? { kind: "none" } : stampOf(date, english ? "English" : "other"),
    subject: subject ?? "",
    addressed,
    certain: addressed || subject !== undefined || addressIn(found.get("to") ?? "") !== undefined
  }
}

/** The e-mail address in a text. */
export const addressIn = (text: string): string | undefined => address.exec(text.slice(0, 400))?.[0]

/** `"Ana Ruiz" <ana@x.org>` is Ana Ruiz; a bare address is the part before the @. */
export const senderOf = (from: string): string => {
  const open = from.search(/[<[(]/)
  const name = (open > 0 ? from.slice(0, open) : from).replace(/["']/g, "").trim()
  const at = name.indexOf("@")
  return cleanSpeaker(at > 0 ? name.slice(0, at) : name)
}

const separators: ReadonlyArray<RegExp> = [
  /^[-_]{3,}$/,
  /^-{2,}.{4,50}-{2,}$/,
  /^(?:Begin f|F)orwarded message ?:?$/i
]

/** Whether a line says that another mail follows, if headers do: `-----Original Message-----`, a rule. */
export const isSeparator = (line: string): boolean =>
  line.length <= 80 && separators.some((separator) => separator.test(line))
