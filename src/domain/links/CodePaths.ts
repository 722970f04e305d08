/** Files of code that a page cites, such as `src/core/sync.ts:42`: the page documents them. */
import { slugSegment } from "../Slug.ts"
import { pathRuns } from "./References.ts"

/** A file that is cited. */
export interface CodePath {
  readonly path: string
  readonly line: number | undefined
}

/** Where repositories keep their code; a path that begins elsewhere may be anything. */
const folders = "src|lib|app|test|tests|scripts|docs|packages|internal|cmd|examples"

const extensions =
  "ts|tsx|mts|cts|js|jsx|mjs|cjs|py|rb|go|rs|java|cs|cpp|cc|hpp|c|h|php|swift|kt|scala|lua|ex|exs|elm|ml|dart|zig|sol|sh|bash|css|html|astro|svelte|vue|json|yaml|yml|toml"

const codePath = new RegExp(String.raw`(?:^|[./-])((?:${folders})/[\w./-]*\.(?:${extensions}))$`)

/** The files that a text cites, each once, with the first line number given. Code samples count: that is where they stand. */
export const codePathsIn = (text: string): ReadonlyArray<CodePath> => {
  const found = new Map<string, CodePath>()
  for (const run of pathRuns(text)) {
    const trimmed = run.text.replace(/[./-]{1,9}$/, "")
    const path = codePath.exec(trimmed)?.[1]
    if (path === undefined || found.has(path)) continue
    const line = /^:(\d{1,9})\b/.exec(text.slice(run.at + trimmed.length, run.at + trimmed.length + 11))?.[1]
    found.set(path, { path, line: line === undefined ? undefined : Number(line) })
  }
  return [...found.values()]
}

/** The slug of the page that a file of code is: `src/core/sync.ts` is `src-core-sync-ts`. */
export const slugOfCode = (path: string): string =>
  path
    .split("/")
    .map((part) => slugSegment(part.replaceAll(".", "-")))
    .filter((part) => part !== "")
    .join("-")
