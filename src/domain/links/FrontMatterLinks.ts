/** Fields of the front matter that name other pages, with the kind of link that each makes, and whose it is. */

/** A page that a field names. */
export interface NamedPage {
  readonly field: string
  /** As it is written. */
  readonly name: string
  /** A slug or a name, without the brackets of a wikilink. */
  readonly target: string
  readonly type: string
  /** Whether the page with the field is where the link begins, or where it ends. */
  readonly direction: "outgoing" | "incoming"
  /** Folders that the named page may be in, the likeliest first; none when the field says nothing about it. */
  readonly folders: ReadonlyArray<string>
  readonly context: string
}

interface Rule {
  readonly fields: ReadonlyArray<string>
  /** The type of page the field means something on; any when left out. */
  readonly on?: string
  readonly type: string
  readonly direction: NamedPage["direction"]
  readonly folders: ReadonlyArray<string>
}

const investors = ["companies", "funds", "people"]

/** What the fields mean: `key_people: [Ana]` on a company's page says that Ana works there, so the link is Ana's. */
export const rules: ReadonlyArray<Rule> = [
  {
    on: "person",
    fields: ["company", "companies"],
    type: "works_at",
    direction: "outgoing",
    folders: ["companies"]
  },
  { on: "person", fields: ["founded"], type: "founded", direction: "outgoing", folders: ["companies"] },
  { on: "company", fields: ["key_people"], type: "works_at", direction: "incoming", folders: ["people"] },
  { on: "company", fields: ["partner"], type: "yc_partner", direction: "incoming", folders: ["people"] },
  { on: "company", fields: ["investors"], type: "invested_in", direction: "incoming", folders: investors },
  { on: "deal", fields: ["investors"], type: "invested_in", direction: "incoming", folders: investors },
  { on: "deal", fields: ["lead"], type: "led_round", direction: "incoming", folders: investors },
  { on: "meeting", fields: ["attendees"], type: "attended", direction: "incoming", folders: ["people"] },
  { fields: ["sources"], type: "discussed_in", direction: "incoming", folders: ["source", "media"] },
  { fields: ["source"], type: "source", direction: "outgoing", folders: [] },
  { fields: ["related", "see_also"], type: "related_to", direction: "outgoing", folders: [] }
]

/** The pages that the front matter of a page of type `pageType` names. */
export const namedPages = (
  frontmatter: Readonly<Record<string, unknown>>,
  pageType: string
): ReadonlyArray<NamedPage> =>
  rules.flatMap(({ direction, fields, folders, on, type }) =>
    on !== undefined && on !== pageType
      ? []
      : fields.flatMap((field) =>
          entriesOf(frontmatter[field]).map(({ name, remarks }) => ({
            field,
            name,
            target: unwrapped(name),
            type,
            direction,
            folders,
            context: `frontmatter.${field}: ${name}${remarks.length === 0 ? "" : ` (${remarks.join(", ")})`}`
          }))
        )
  )

interface Entry {
  readonly name: string
  readonly remarks: ReadonlyArray<string>
}

const entriesOf = (value: unknown): ReadonlyArray<Entry> =>
  (Array.isArray(value) ? value : [value]).flatMap((entry): ReadonlyArray<Entry> => {
    if (typeof entry === "string") return named(entry, [])
    if (typeof entry !== "object" || entry === null) return []
    const { name, role, slug, title } = Object.fromEntries(Object.entries(entry))
    const called = [name, slug, title].find((text) => typeof text === "string")
    if (typeof called !== "string") return []
    return named(
      called,
      [role, title].filter((text) => typeof text === "string" && text !== called).map(String)
    )
  })

/** No name of anything is longer; the database's index on names would not take it. */
const longestName = 300

const named = (name: string, remarks: ReadonlyArray<string>): ReadonlyArray<Entry> =>
  unwrapped(name) === "" || name.length > longestName
    ? []
    : [{ name: name.trim(), remarks: remarks.map((text) => text.slice(0, longestName)) }]

/** `[[people/ana-ruiz#Now|Ana]]` names `people/ana-ruiz`; a value without brackets names itself. */
const unwrapped = (value: string): string => {
  const inner = /^\[\[(.+)\]\]$/.exec(value.trim())?.[1]
  return (inner === undefined ? value : (inner.split(/[|#^]/, 1)[0] ?? "")).trim()
}
