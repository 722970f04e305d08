/** Facebook Messenger's download, as text: a name, the words, and a date, each on lines of their own. */
import { cleanSpeaker, looksLikeName } from "../Names.ts"
import type { RawConversation, RawMessage } from "../RawMessage.ts"
import { clockOf, monthOf } from "../Stamp.ts"

const dateLine =
  /^([A-Z][a-z]{2,8})\.? (\d{1,2}), (\d{4}),? (?:at )?(\d{1,2}):(\d{2})(?::(\d{2}))? ?([AaPp])\.?[Mm]\.?$/

/** Reads the download; undefined when fewer than two dates stand after a name and a text. */
export const readMessenger = (lines: ReadonlyArray<string>): RawConversation | undefined => {
  const messages: Array<RawMessage> = []
  let block: Array<{ readonly text: string; readonly line: number }> = []
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    const date = dateLine.exec(line.slice(0, 60))
    if (date === null) {
      if (line !== "" && !line.startsWith("#")) block.push({ text: line, line: index + 1 })
      continue
    }
    const [name, ...words] = block
    block = []
    if (name === undefined || words.length === 0 || !looksLikeName(name.text)) continue
    const [, month = "", day = "", year = "", hour = "", minute = "", second, half] = date
    messages.push({
      speaker: cleanSpeaker(name.text),
      text: words.map((word) => word.text).join("\n"),
      stamp: {
        kind: "full",
        year: Number(year),
        month: monthOf(month),
        day: Number(day),
        clock: clockOf(hour, minute, second, half)
      },
      line: name.line,
      heading: undefined
    })
  }
  return messages.length < 2 ? undefined : { formats: ["facebook-messenger"], messages }
}
