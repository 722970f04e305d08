/** The two halves of a page: what is known, and what happened. Where they part is gbrain's rule. */

/** A page's text in its halves. */
export interface PageHalves {
  readonly compiledTruth: string
  readonly timeline: string
}

/**
 * Splits a text at the first sign of a timeline, which is left out: a comment or a rule that says so, or a rule right above a
 * heading that does. Without one, a section under such a heading that holds nothing but dated bullets is the timeline, with its
 * heading. A bare rule is a rule.
 */
export const splitBody = (body: string): PageHalves => {
  const lines = body.split("\n")
  const sign = signOfTimeline(lines)
  if (sign >= 0) {
    return { compiledTruth: lines.slice(0, sign).join("\n"), timeline: lines.slice(sign + 1).join("\n") }
  }
  const section = timelineSection(lines)
  return section === undefined
    ? { compiledTruth: body, timeline: "" }
    : {
        compiledTruth: [...lines.slice(0, section.start), ...lines.slice(section.end)].join("\n"),
        timeline: lines.slice(section.start, section.end).join("\n")
      }
}

const isTimelineHeading = (line: string) => /^##\s+(timeline|history)\b/i.test(line.trim())

const signOfTimeline = (lines: ReadonlyArray<string>): number => {
  let seenText = false
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    if (/^<!--( timeline |timeline)-->$/.test(line) || /^---\s+timeline\s+---$/i.test(line)) return index
    if (line === "---" && seenText && isTimelineHeading(nextText(lines, index))) return index
    if (line !== "") seenText = true
  }
  return -1
}

const nextText = (lines: ReadonlyArray<string>, after: number): string => {
  for (let index = after + 1; index < lines.length; index++) {
    const line = lines[index] ?? ""
    if (line.trim() !== "") return line
  }
  return ""
}

const timelineSection = (lines: ReadonlyArray<string>) => {
  let inCode = false
  let seenText = false
  for (const [start, line] of lines.entries()) {
    if (/^\s*(`{3,}|~{3,})/.test(line)) inCode = !inCode
    else if (!inCode && seenText && isTimelineHeading(line)) {
      const end = endOfDatedBullets(lines, start + 1)
      if (end !== undefined) return { start, end }
    }
    if (line.trim() !== "") seenText = true
  }
  return undefined
}

// Where the section ends; none when it is not made of bullets that begin with a year, and their further lines.
const endOfDatedBullets = (lines: ReadonlyArray<string>, start: number): number | undefined => {
  let bullets = 0
  for (let index = start; index < lines.length; index++) {
    const line = lines[index] ?? ""
    if (/^##\s+\S/.test(line.trim())) return bullets > 0 ? index : undefined
    if (/^\s*[-*+]\s+\**\d{4}\b/.test(line)) bullets++
    else if (line.trim() !== "" && !(bullets > 0 && /^\s{2,}\S/.test(line))) return undefined
  }
  return bullets > 0 ? lines.length : undefined
}
