/** Pictures for tests: images of every format, PDFs, and such as are none; folders of them, and runs over those. */
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import sharp from "sharp"
import * as Money from "../../src/domain/Money.ts"
import { multimodalLayer } from "../../src/programs/reindex-multimodal/layer.ts"
import {
  defaultMultimodalOptions,
  type ReindexMultimodalOptions
} from "../../src/programs/reindex-multimodal/options.ts"
import { reindexMultimodal } from "../../src/programs/reindex-multimodal/reindexMultimodal.ts"
import { environment } from "./extraction.ts"

type Format = "png" | "jpeg" | "webp" | "gif" | "avif" | "tiff"

/** An image in one colour; the colour makes it another file. */
export const image = (
  format: Format,
  width = 40,
  height = 30,
  background: string = "#336699"
): Promise<Uint8Array> =>
  sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer()

/** A PDF with a page for each text. */
export const pdf = (texts: ReadonlyArray<string>, encrypted = false): Uint8Array => {
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${texts.length} /Kids [${texts.map((_, index) => `${4 + 2 * index} 0 R`).join(" ")}] >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ...texts.flatMap((text, index) => {
      const stream = `BT /F1 24 Tf 72 700 Td (${text}) Tj ET`
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * index} 0 R >>`,
        `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`
      ]
    })
  ]
  let out = "%PDF-1.4\n"
  const offsets = objects.map((object, index) => {
    const offset = out.length
    out += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const id = `<${"00".repeat(16)}>`
  const security = encrypted
    ? ` /Encrypt << /Filter /Standard /V 1 /R 2 /O <${"ab".repeat(32)}> /U <${"cd".repeat(32)}> /P -4 >> /ID [${id} ${id}]`
    : ""
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")
  return Buffer.from(
    `${out}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R${security} >>\nstartxref\n${out.length}\n%%EOF\n`,
    "latin1"
  )
}

/** Writes files below a folder. */
export const putFiles = async (
  folder: string,
  files: Readonly<Record<string, Uint8Array>>
): Promise<void> => {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
}

/** A folder of files, which is the default source's, for the life of the scope. */
export const pictureFolder = Effect.fnUntraced(function* (files: Readonly<Record<string, Uint8Array>>) {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "gbrain-pictures-"))),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  yield* Effect.promise(() => putFiles(folder, files))
  const sql = yield* SqlClient.SqlClient
  yield* sql`update sources set local_path = ${folder} where id = 'default'`
  return folder
})

/** Runs the reindexing against a server. */
export const reindex = (
  url: string,
  options: Partial<ReindexMultimodalOptions> & {
    readonly workers?: number
    readonly cap?: string
    readonly model?: string
  } = {}
) => {
  const { cap = "5", model, workers = 4, ...rest } = options
  return reindexMultimodal({ ...defaultMultimodalOptions, ...rest }).pipe(
    Effect.provide(
      multimodalLayer({ workers, cap: Money.parseUsd(cap), model: Option.fromUndefinedOr(model) }).pipe(
        Layer.provide(
          environment({
            VOYAGE_BASE_URL: url,
            VOYAGE_API_KEY: "pa-test",
            OPENAI_BASE_URL: url,
            OPENAI_API_KEY: "sk-test"
          })
        )
      )
    )
  )
}

/** The chunks of pictures, by page and number. */
export const pictureChunks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{
    slug: string
    type: string
    index: number
    text: string
    image: boolean
    same: boolean
    width: number | null
  }>`
    select page.slug, page.type, chunk_index as index, chunk_text as text, embedding_image is not null as image,
      embedding_image = embedding_multimodal as same, vector_dims(embedding_image) as width
    from content_chunks join pages page on page.id = page_id
    where page.page_kind = 'image' and page.deleted_at is null order by page.slug, chunk_index`
})
