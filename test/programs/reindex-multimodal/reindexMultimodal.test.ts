import { symlink, unlink, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { onBothDatabases } from "../../support/brains.ts"
import { putPages, standIn } from "../../support/extraction.ts"
import { image, pdf, pictureChunks, pictureFolder, putFiles, reindex } from "../../support/pictures.ts"
import { testsOn } from "../../support/testsOn.ts"

const promise = <A>(make: () => Promise<A>) => Effect.promise(make)

onBothDatabases("reindex --multimodal", (brain) => {
  const test = testsOn(brain)

  test("images of every format and pages of PDFs get pages, chunks and vectors", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const formats = ["png", "jpeg", "webp", "gif", "avif", "tiff"] as const
      const images = yield* promise(() => Promise.all(formats.map((format) => image(format))))
      yield* pictureFolder({
        ...Object.fromEntries(
          formats.map((format, index) => [`img/A ${format}.${format}`, images[index] ?? new Uint8Array()])
        ),
        "docs/Plan.pdf": pdf(["Budget for Bergen", "Second page", "The end"])
      })
      const report = yield* reindex(api.url)
      expect(report).toMatchObject({
        status: "completed",
        model: "voyage:voyage-multimodal-3",
        dimensions: 1024,
        files: 7,
        files_new: 7,
        files_skipped: 0,
        pending_before: 9,
        pending_after: 0,
        reembedded: 9,
        images: 6,
        pdf_pages: 3,
        texts: 0,
        failed: 0
      })
      const chunks = yield* pictureChunks
      expect(chunks).toHaveLength(9)
      expect(chunks.every(({ image, same, width }) => image && same && width === 1024)).toBe(true)
      expect(chunks.slice(0, 4).map(({ index, slug, text, type }) => [slug, type, index, text])).toEqual([
        ["docs/plan.pdf", "pdf", 0, "Plan.pdf, page 1 of 3\nBudget for Bergen"],
        ["docs/plan.pdf", "pdf", 1, "Plan.pdf, page 2 of 3\nSecond page"],
        ["docs/plan.pdf", "pdf", 2, "Plan.pdf, page 3 of 3\nThe end"],
        ["img/a avif.avif", "image", 0, "A avif.avif"]
      ])
      const sql = yield* SqlClient.SqlClient
      expect(
        yield* sql`select page_kind, type, title, frontmatter->>'mime_type' as mime, frontmatter->'dims' as dims, source_path,
          chunk_source, modality from pages join content_chunks on page_id = pages.id where slug = 'img/a png.png'`
      ).toEqual([
        {
          page_kind: "image",
          type: "image",
          title: "A png.png",
          mime: "image/png",
          dims: { w: 40, h: 30 },
          source_path: "img/A png.png",
          chunk_source: "image_asset",
          modality: "image"
        }
      ])
      // Small images are paid for as 50,000 pixels, and pages of PDFs as they are drawn.
      expect(report.pixels).toBeGreaterThan(6 * 50_000 + 3 * 1_900_000)
      expect(report.spent_usd).toBeCloseTo(report.pixels * 0.6e-9, 10)
    }))

  test("texts are embedded into the column for everything, and only there", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* putPages([{ slug: "people/ana", type: "person", body: "Ana signed the lease." }])
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text) select id, 0, compiled_truth from pages`
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text) select id, 1, '  ' from pages`
      expect(yield* reindex(api.url)).toMatchObject({ status: "completed", reembedded: 1, texts: 1 })
      expect(
        yield* sql`select chunk_index, embedding_multimodal is not null as multimodal, embedding_image is not null as image,
          embedding is not null as embedding from content_chunks order by chunk_index`
      ).toEqual([
        { chunk_index: 0, multimodal: true, image: false, embedding: false },
        { chunk_index: 1, multimodal: false, image: false, embedding: false }
      ])
      yield* sql`update content_chunks set chunk_text = 'Ana left.' where chunk_index = 0`
      expect(yield* reindex(api.url, { only: Option.some("image") })).toMatchObject({ reembedded: 0 })
      expect(yield* reindex(api.url)).toMatchObject({ texts: 1 })
      expect(yield* reindex(api.url)).toMatchObject({ reembedded: 0, calls: 0 })
    }))

  test("a second run does nothing; only files that changed are taken again; gone ones go", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const [one, two, other] = yield* promise(() =>
        Promise.all([image("png"), image("jpeg"), image("png", 60, 60, "#ff0000")])
      )
      const folder = yield* pictureFolder({ "one.png": one, "two.jpg": two, "three.pdf": pdf(["a", "b"]) })
      expect(yield* reindex(api.url)).toMatchObject({ reembedded: 4, files_new: 3 })
      const before = api.stats().requests
      expect(yield* reindex(api.url)).toMatchObject({
        status: "completed",
        files_unchanged: 3,
        pending_before: 0,
        reembedded: 0,
        spent_usd: 0
      })
      expect(api.stats().requests).toBe(before)
      yield* promise(() => putFiles(folder, { "one.png": other, "three.pdf": pdf(["a"]) }))
      yield* promise(() => unlink(join(folder, "two.jpg")))
      expect(yield* reindex(api.url)).toMatchObject({
        files: 2,
        files_changed: 2,
        pages_removed: 1,
        images: 1,
        pdf_pages: 1
      })
      expect((yield* pictureChunks).map(({ slug }) => slug)).toEqual(["one.png", "three.pdf"])
      yield* promise(() => putFiles(folder, { "two.jpg": two }))
      expect(yield* reindex(api.url)).toMatchObject({ files_new: 1, images: 1 })
    }))

  test("another model takes everything again, --force too", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const one = yield* promise(() => image("png"))
      yield* pictureFolder({ "one.png": one })
      yield* reindex(api.url)
      expect(yield* reindex(api.url, { model: "voyage:voyage-multimodal-3.5" })).toMatchObject({ images: 1 })
      expect(yield* reindex(api.url, { model: "voyage:voyage-multimodal-3.5" })).toMatchObject({ images: 0 })
      expect(yield* reindex(api.url, { model: "voyage:voyage-multimodal-3.5", force: true })).toMatchObject({
        images: 1
      })
    }))

  test("what is no image is left out and named, and the rest is done", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const good = yield* promise(() => image("png"))
      const large = yield* promise(() => image("jpeg", 3000, 2000))
      const folder = yield* pictureFolder({
        "bad/corrupt.png": Buffer.from("not an image at all"),
        "bad/cut.jpg": large.subarray(0, large.length / 2),
        "bad/empty.png": new Uint8Array(),
        "bad/encrypted.pdf": pdf(["secret"], true),
        "bad/damaged.pdf": pdf(["x"]).subarray(0, 200),
        "bad/large.png": new Uint8Array(),
        "good/one.png": good,
        "good/ONE.png": good,
        ".hidden/two.png": good,
        "node_modules/three.png": good,
        "notes.txt": Buffer.from("text")
      })
      yield* promise(() => truncate(join(folder, "bad/large.png"), 50 * 1024 * 1024 + 1))
      yield* promise(() => symlink("/etc/hostname", join(folder, "bad/link.png")))
      const report = yield* reindex(api.url)
      expect(report).toMatchObject({ status: "completed", images: 1, files_new: 1, files_skipped: 8 })
      const reasons = Object.fromEntries(report.skipped.map(({ item, reason }) => [item, reason]))
      expect(reasons["bad/corrupt.png"]).toContain("is no image, or is damaged")
      expect(reasons["bad/cut.jpg"]).toContain("is no image, or is damaged")
      expect(reasons["bad/empty.png"]).toBe("is empty")
      expect(reasons["bad/encrypted.pdf"]).toBe("is encrypted; save it without a password")
      expect(reasons["bad/damaged.pdf"]).toContain("is no PDF, or is damaged")
      expect(reasons["bad/large.png"]).toContain("has 52428801 bytes")
      expect(reasons["bad/link.png"]).toBe("is a symbolic link")
      expect(reasons["good/one.png"]).toBe("has the same slug as good/ONE.png: good/one.png")
    }))

  test("images are sent upright and within two million pixels", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const large = yield* promise(() => image("png", 4000, 1000))
      yield* pictureFolder({ "large.png": large })
      yield* reindex(api.url)
      expect(api.log().map(({ text }) => text.replace(/ \w+$/, ""))).toEqual(["image image/jpeg 2828x707"])
    }))

  test("gbrain's own image pages: found below the source's folder, by its table of files or by the slug", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const [one, two] = yield* promise(() => Promise.all([image("png"), image("png", 50, 50)]))
      yield* pictureFolder({ "Photos/One.png": one, "two.png": two })
      const sql = yield* SqlClient.SqlClient
      yield* sql`create table files (id serial primary key, page_id int, storage_path text)`
      yield* sql`insert into pages (slug, type, page_kind, title) values ('elsewhere/one', 'image', 'image', 'One'),
        ('gone.png', 'image', 'image', 'gone.png'), ('../../../../../../../../etc/hostname', 'image', 'image', 'out')`
      yield* sql`insert into files (page_id, storage_path) select id, 'Photos/One.png' from pages where title = 'One'`
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text, chunk_source, modality)
        select id, 0, title, 'image_asset', 'image' from pages`
      const report = yield* reindex(api.url)
      expect(report).toMatchObject({ status: "failed", images: 3, failed: 2 })
      const reasons = Object.fromEntries(report.failures.map(({ item, reason }) => [item, reason]))
      expect(reasons["gone.png"]).toContain("is not in")
      expect(reasons["../../../../../../../../etc/hostname"]).toContain("leads out of")
      const again = yield* reindex(api.url)
      expect(again).toMatchObject({ status: "failed", images: 0, failed: 2, calls: 0 })
    }))

  test("a source without a folder, and one whose folder is gone", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into pages (slug, type, page_kind, title) values ('a.png', 'image', 'image', 'a.png')`
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text, modality) select id, 0, title, 'image' from pages`
      const report = yield* reindex(api.url)
      expect(report.failures[0]?.reason).toContain("nobody told where the files of the source default are")
      yield* sql`update sources set local_path = '/no/such/folder'`
      expect((yield* reindex(api.url)).skipped[0]?.reason).toContain("there is no such folder")
    }))

  test("--limit takes so many, and the next run the rest", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const one = yield* promise(() => image("png"))
      yield* pictureFolder({ "a.png": one, "b.pdf": pdf(["1", "2", "3"]) })
      expect(yield* reindex(api.url, { limit: Option.some(2) })).toMatchObject({
        status: "completed",
        reembedded: 2,
        pending_after: 2
      })
      expect(yield* reindex(api.url)).toMatchObject({ reembedded: 2, pending_after: 0 })
    }))

  test("a file that changes between two looks is not embedded as what it was", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const [one, two] = yield* promise(() => Promise.all([image("png"), image("png", 70, 70)]))
      const folder = yield* pictureFolder({ "a.png": one })
      yield* reindex(api.url, { limit: Option.some(1) })
      const sql = yield* SqlClient.SqlClient
      yield* sql`update content_chunks set embedding_image = null`
      // Somebody else's page: nobody looks at its file before it is read.
      yield* sql`update pages set source_path = 'b.jpg', slug = 'kept', ingested_via = null`
      yield* promise(() => writeFile(join(folder, "b.jpg"), two))
      const report = yield* reindex(api.url, { only: Option.some("image") })
      expect(report.failures).toEqual([
        { item: "kept", reason: "has changed since it was looked at; run again" }
      ])
    }))
})
