/** From chunks to what is sent: texts as they are, images read from their files, pages of PDFs drawn. */
import { Effect, Queue, Stream } from "effect"
import { guessTokens, type InputSize } from "../../domain/EmbeddingBatches.ts"
import { billedPixels, captionOf, imageTokens } from "../../domain/Images.ts"
import type { MultimodalChunk } from "../../services/MultimodalChunks.ts"
import type { MultimodalInput } from "../../services/MultimodalModel.ts"
import { type DrawnPage, Pictures } from "../../services/Pictures.ts"
import { sha256Hex } from "../../services/Sha256.ts"

/** A chunk, ready to be asked about. */
export interface ReadyInput {
  readonly chunk: MultimodalChunk
  /** The journal's key: model, width and content. */
  readonly key: string
  readonly input: MultimodalInput
  /** What the chunk says from now on; empty when that does not change. */
  readonly text: string
}

/** Raised when pictures are drawn otherwise, so that a journaled vector is of what would be drawn now. */
const drawing = "drawn-1"

/** Tells what a vector is of. */
export const inputKey = (chunk: MultimodalChunk, model: string, width: number): string =>
  sha256Hex(
    [
      "multimodal",
      model,
      width,
      chunk.modality === "text" ? chunk.text : `${drawing}:${chunk.fingerprint}`
    ].join("\n")
  )

/** Files that are read and drawn at a time: the processor's work. */
const filesAtOnce = 4

/** Pages of a file that are drawn ahead of being asked about. */
const drawnAhead = 2

/** Prepares chunks. One that cannot be prepared is handed to `fail` with the reason. */
export const readyInputs =
  (options: {
    readonly model: string
    readonly width: number
    readonly fail: (chunk: MultimodalChunk, reason: string) => Effect.Effect<void>
  }) =>
  <E, R>(chunks: Stream.Stream<MultimodalChunk, E, R>) => {
    const keyOf = (chunk: MultimodalChunk) => inputKey(chunk, options.model, options.width)
    const ofText = (chunk: MultimodalChunk): ReadyInput => ({
      chunk,
      key: keyOf(chunk),
      input: { type: "text", text: chunk.text },
      text: ""
    })

    const ofFile = (of: ReadonlyArray<MultimodalChunk>) =>
      Stream.callback<ReadyInput, never, Pictures>(
        (queue) =>
          Effect.andThen(
            draw(of, options.fail, (chunk, page, text) =>
              Effect.asVoid(
                Queue.offer(queue, {
                  chunk,
                  key: keyOf(chunk),
                  input: { type: "image", image: page.image },
                  text
                })
              )
            ),
            Queue.end(queue)
          ),
        { bufferSize: drawnAhead }
      )

    return chunks.pipe(
      Stream.groupAdjacentBy((chunk) => `${chunk.modality} ${chunk.page_id}`),
      Stream.flatMap(
        ([, group]): Stream.Stream<ReadyInput, never, Pictures> =>
          group[0].modality === "text" ? Stream.fromIterable(group.map(ofText)) : ofFile(group),
        { concurrency: filesAtOnce, bufferSize: 1 }
      )
    )
  }

const draw = Effect.fnUntraced(function* (
  chunks: ReadonlyArray<MultimodalChunk>,
  fail: (chunk: MultimodalChunk, reason: string) => Effect.Effect<void>,
  ready: (chunk: MultimodalChunk, page: DrawnPage, text: string) => Effect.Effect<void>
) {
  const pictures = yield* Pictures
  const failAll = (of: Iterable<MultimodalChunk>, reason: string) =>
    Effect.forEach(of, (chunk) => fail(chunk, reason), { discard: true })
  const [first] = chunks
  if (first === undefined) return
  if (first.root === null) {
    return yield* failAll(
      chunks,
      `nobody told where the files of the source ${first.source_id} are; an import does: gbrain import DIR --source ${first.source_id}`
    )
  }
  const left = new Map(chunks.map((chunk) => [chunk.index, chunk]))
  const file = { root: first.root, path: first.path }
  yield* pictures
    .draw(file, first.content_hash, [...left.keys()], (page) => {
      const chunk = left.get(page.index)
      if (chunk === undefined) return Effect.void
      left.delete(page.index)
      return "problem" in page ? fail(chunk, page.problem) : ready(chunk, page, textOf(chunk, page))
    })
    .pipe(Effect.catchTag("PictureProblem", (problem) => failAll(left.values(), problem.message)))
})

// What is written on a page is worth finding by its words too.
const textOf = (chunk: MultimodalChunk, { index, of, text }: DrawnPage): string =>
  text === ""
    ? ""
    : `${captionOf(chunk.path.slice(chunk.path.lastIndexOf("/") + 1), { number: index + 1, of })}\n${text}`

/** What an input weighs: bytes that travel, tokens that it counts as, about. */
export const weightOf = ({ input }: ReadyInput): InputSize => {
  if (input.type === "image") {
    return {
      bytes: Math.ceil(input.image.bytes.length / 3) * 4,
      tokens: imageTokens(billedPixels(input.image))
    }
  }
  const bytes = Buffer.byteLength(input.text, "utf8")
  return { bytes, tokens: guessTokens(input.text.length, bytes) }
}
