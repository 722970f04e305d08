/** The chunks of a page of markdown: its prose, then its samples of code, each cut by the symbols in it. */
import { Effect } from "effect"
import { chunkPage, isLeftOut, type PageChunk } from "../../domain/Chunks.ts"
import { samplesIn } from "../../domain/code/Samples.ts"
import { CodeParser } from "../../services/CodeParser.ts"

/** Cuts a page into chunks. A sample that its grammar breaks on is found by the prose that it stands in, as any other text is. */
export const pageChunks = Effect.fn("pageChunks")(function* (page: {
  readonly compiledTruth: string
  readonly timeline: string
  readonly frontmatter: Readonly<Record<string, unknown>>
}) {
  const parser = yield* CodeParser
  const samples = isLeftOut(page.frontmatter) ? [] : samplesIn(page.compiledTruth)
  const cut = yield* Effect.forEach(
    samples,
    (sample) => Effect.orElseSucceed(parser.chunks(sample), () => []),
    { concurrency: "unbounded" }
  )
  return [
    ...chunkPage(page),
    ...cut.flat().map((chunk): PageChunk => ({ text: chunk.text, source: "fenced_code", symbol: chunk }))
  ]
})
