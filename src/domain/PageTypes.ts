/** What type a page has whose file names none: gbrain's table of folders, in its order. */

const folders: ReadonlyArray<readonly [type: string, ...folders: ReadonlyArray<string>]> = [
  ["person", "people", "person"],
  ["company", "companies", "company", "products", "orgs"],
  ["media", "media", "videos", "articles", "essays", "books", "podcasts", "blog", "posts"],
  ["tweet", "tweets", "twitter"],
  ["social-digest", "digests/social"],
  ["analysis", "wiki/analysis", "analysis"],
  ["atom", "atoms"],
  ["concept", "wiki/concepts", "wiki/concept"],
  ["source", "sources", "source"],
  ["deal", "deals", "deal"],
  ["email", "emails", "email"],
  ["slack", "slack"],
  ["meeting", "meetings", "meeting"],
  ["conversation", "conversations"],
  ["writing", "writing"],
  ["project", "projects", "project"],
  ["note", "notes", "note"],
  ["event", "life/events"],
  ["diary", "life/diary"]
]

/** The type that goes with a slug; `concept` where no folder says more. A folder counts wherever it is in the path. */
export const typeOfSlug = (slug: string): string => {
  const path = `/${slug}`
  return folders.find(([, ...names]) => names.some((name) => path.includes(`/${name}/`)))?.[0] ?? "concept"
}
