/** `gbrain reindex-frontmatter`. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { reindexFrontmatterLayer } from "../../programs/reindex-frontmatter/layer.ts"
import { reindexFrontmatter } from "../../programs/reindex-frontmatter/reindexFrontmatter.ts"
import { optionalText } from "../flags.ts"
import { brainFor } from "../open.ts"
import { reindexFrontmatterText } from "../render/reindexFrontmatter.ts"
import { sweepFlags, tellSweep } from "../sweep.ts"

export const reindexFrontmatterCommand = Command.make(
  "reindex-frontmatter",
  {
    source: optionalText("source", "ID", "One source; all that are not archived unless told"),
    slugPrefix: optionalText("slug-prefix", "P", "Only pages whose slugs begin so, such as meetings/"),
    ...sweepFlags
  },
  (flags) =>
    tellSweep(flags, reindexFrontmatterText, (tell) =>
      reindexFrontmatter({ sourceId: flags.source, slugPrefix: flags.slugPrefix, dryRun: flags.dryRun }, tell)
    ).pipe(
      Effect.provide(reindexFrontmatterLayer({ workers: flags.workers })),
      Effect.provide(brainFor(flags))
    )
).pipe(
  Command.withDescription("Make the dates of pages anew from what their front matter says"),
  Command.withExamples([
    { command: "gbrain reindex-frontmatter --dry-run", description: "Which dates would change" },
    {
      command: "gbrain reindex-frontmatter --slug-prefix meetings/ --workers 4",
      description: "After the front matter of some meetings was mended"
    }
  ])
)
