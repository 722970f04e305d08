/** What runs on a thread of its own: takes a file at a time, answers its chunks. It knows no Effect, so that it starts at once. */
import { parentPort } from "node:worker_threads"
import { chunkCode, type CodeChunk } from "../../domain/code/CodeChunks.ts"
import { languageOfPath } from "../../domain/code/Languages.ts"
import { parseSyntax } from "./syntax.ts"

/** A file to read. */
export interface ParserJob {
  readonly path: string
  readonly text: string
}

/** What came of it. */
export type ParserAnswer = { readonly chunks: ReadonlyArray<CodeChunk> } | { readonly failed: string }

const read = async ({ path, text }: ParserJob): Promise<ParserAnswer> => {
  const language = languageOfPath(path)
  if (language === undefined) return { failed: "is no code that is known" }
  try {
    const root = language.parsed && text.trim() !== "" ? await parseSyntax(text, language.id) : undefined
    return { chunks: chunkCode(text, path, language, root) }
  } catch (error) {
    return {
      failed: `cannot be read as ${language.name}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

parentPort?.on("message", (job: ParserJob) => {
  void read(job).then((answer) => parentPort?.postMessage(answer, []))
})
