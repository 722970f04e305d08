/**
 * What a file without front matter is taken to say about itself, from its folder, its name and its first heading. The rules are
 * gbrain's: all of it becomes part of the page, and so of the content hash.
 */
import { titleOfFileName } from "./PageTitles.ts"

interface FolderRule {
  /** What the path begins with, in lower case. */
  readonly folder: string
  readonly type: string
  readonly source?: string
  readonly tags?: ReadonlyArray<string>
  /** The title is the file's name even where there is a heading. */
  readonly titledByName?: boolean
  /** The name holds no date. */
  readonly undated?: boolean
}

const docs = (folder: string, type: string, ...tags: ReadonlyArray<string>): FolderRule => ({
  folder,
  type,
  source: "docs",
  tags
})

// The first that fits counts.
const rules: ReadonlyArray<FolderRule> = [
  {
    folder: "apple notes/youtube shows/",
    type: "apple-note",
    source: "apple-notes",
    tags: ["youtube", "shows"],
    titledByName: true
  },
  {
    folder: "apple notes/photo-cameras/",
    type: "apple-note",
    source: "apple-notes",
    tags: ["photography"],
    titledByName: true
  },
  { folder: "apple notes/", type: "apple-note", source: "apple-notes", titledByName: true },
  { folder: "daily/calendar/", type: "calendar-index", source: "calendar", titledByName: true },
  docs("docs/runbooks/", "guide", "runbook"),
  docs("runbooks/", "guide", "runbook"),
  docs("docs/guides/", "guide", "guide"),
  docs("docs/policies/", "guide", "policy"),
  docs("docs/projects/", "project", "project"),
  docs("docs/audits/", "analysis", "audit"),
  docs("docs/research/", "analysis", "research"),
  docs("docs/evaos/", "architecture", "evaos"),
  docs("docs/architecture/", "architecture"),
  docs("docs/providers/", "source", "provider"),
  docs("security/", "guide", "security"),
  docs("support/", "source", "support"),
  { folder: "notes/", type: "note" },
  { folder: "personal/therapy/", type: "therapy-session", source: "therapy", titledByName: true },
  { folder: "personal/reflections/", type: "reflection", source: "personal" },
  { folder: "personal/", type: "personal", source: "personal", undated: true },
  { folder: "writing/essays/", type: "essay", source: "writing" },
  { folder: "writing/ideas/", type: "idea", source: "writing" },
  { folder: "writing/", type: "writing", source: "writing" },
  { folder: "people/", type: "person" },
  { folder: "companies/", type: "company" },
  { folder: "projects/", type: "project" },
  { folder: "civic/", type: "civic" },
  { folder: "events/", type: "event" },
  { folder: "meetings/", type: "meeting" },
  { folder: "media/", type: "media" }
]

const elsewhere: FolderRule = { folder: "", type: "note" }

/** Whether a file has no front matter: its first line that is not empty is no `---`. */
export const isBare = (content: string): boolean =>
  content
    .split("\n")
    .find((line) => line.trim() !== "")
    ?.trim() !== "---"

/** The front matter that such a file might have had. `path` is relative to the brain. */
export const bareFrontMatter = (content: string, path: string): Readonly<Record<string, unknown>> => {
  const lowerPath = path.toLowerCase()
  const rule = rules.find(({ folder }) => lowerPath.startsWith(folder)) ?? elsewhere
  const name = path.split("/").pop() ?? path
  const heading = rule.titledByName === true ? "" : headingNearTop(content)
  const date = rule.undated === true ? undefined : dateInName(name)
  const tags = [...(rule.tags ?? []), ...subfolderTag(rule, path)]
  return {
    title: heading || titleOfFileName(name),
    type: rule.type,
    ...(date === undefined ? {} : { date }),
    ...(rule.source === undefined ? {} : { source: rule.source }),
    ...(tags.length === 0 ? {} : { tags })
  }
}

const linesNearTop = 20

const headingNearTop = (content: string): string => {
  for (const line of content.split("\n").slice(0, linesNearTop)) {
    const heading = /^#\s+(.+)/.exec(line)?.[1]
    if (heading !== undefined) return heading.trim()
  }
  return ""
}

const dateInName = (name: string): string | undefined => {
  const hyphened = /^(\d{4}-\d{2}-\d{2})[\s_-]/.exec(name)?.[1] ?? /(\d{4}-\d{2}-\d{2})/.exec(name)?.[1]
  if (hyphened !== undefined) return hyphened
  const spaced = /^(\d{4})\s+(\d{2})\s+(\d{2})\s/.exec(name)
  return spaced === null ? undefined : spaced.slice(1).join("-")
}

// Notes are sorted into folders by what they are about.
const subfolderTag = (rule: FolderRule, path: string): ReadonlyArray<string> => {
  if (rule.folder !== "apple notes/") return []
  const [, subfolder, file] = path.split("/")
  return subfolder === undefined || file === undefined ? [] : [subfolder.toLowerCase().replace(/\s+/g, "-")]
}
