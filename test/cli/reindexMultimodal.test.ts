/** `reindex --multimodal` from the command line: what it foretells, does, refuses, and how it stops. */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { image, pdf, putFiles } from "../support/pictures.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

describe("reindex --multimodal from the command line", () => {
  let home: CliHome
  let api: StandIn
  let photos: string
  const reindex = (...args: ReadonlyArray<string>) => ["reindex", "--multimodal", ...args]
  const withServer = () => ({ VOYAGE_BASE_URL: api.url, VOYAGE_API_KEY: "pa-test" })
  beforeAll(async () => {
    home = await cliHome()
    api = await startStandIn()
    photos = join(home.directory, "photos")
    await mkdir(photos)
    const images = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => [`${index}.png`, await image("png", 30 + index)] as const)
    )
    await putFiles(photos, { ...Object.fromEntries(images), "plan.pdf": pdf(["one", "two", "three"]) })
    await home.run(["init"])
    await home.run(["sources", "add", "photos", "--directory", photos])
  })
  afterAll(async () => {
    await api.close()
    await home.remove()
  })

  it("--cost-estimate needs no key, asks no model and writes nothing", async () => {
    const result = await home.run(reindex("--cost-estimate", "--json"))
    expect(result).toMatchObject({ code: 0 })
    expect(JSON.parse(result.stdout)).toMatchObject({
      dry_run: true,
      files_new: 7,
      images: 9,
      texts: 0,
      pixels: 6 * 50_000 + 3 * 2_000_000,
      cost_usd_estimate: 0.00378,
      at_most_usd: 0.00378
    })
    const again = await home.run(reindex("--dry-run"))
    expect(again.stdout).toContain(
      "9 images and 0 texts to embed with voyage:voyage-multimodal-3: about $0.0038"
    )
    expect(api.stats().requests).toBe(0)
    const limited = await home.run(reindex("--cost-estimate", "--json", "--limit", "3", "--only", "texts"))
    expect(JSON.parse(limited.stdout)).toMatchObject({ pending_before: 0, cost_usd_estimate: 0 })
  })

  it("one clear line for wrong usage and a missing key", async () => {
    for (const [args, code, words] of [
      [["reindex"], 2, "Say what to bring up to date: gbrain reindex --markdown|--multimodal"],
      [["reindex", "--markdown", "--multimodal"], 2, "give one of them"],
      [["reindex", "--markdown", "--cost-estimate"], 2, "--cost-estimate goes with --multimodal only"],
      [["reindex", "--multimodal", "--type", "person"], 2, "--type goes with --markdown only"],
      [reindex("--only", "videos"), 2, '--only takes images or texts, not "videos"'],
      [reindex("--workers", "0"), 2, "--workers takes a whole number from 1 up"],
      [reindex("--source-id", "gone"), 2, 'no source "gone"'],
      [reindex("--model", "openai:text-embedding-3-small"), 1, "takes no images. Choose a model that does"],
      [reindex(), 1, "No key for voyage:voyage-multimodal-3: set VOYAGE_API_KEY"]
    ] as const) {
      const result = await home.run(args)
      expect(result).toMatchObject({ stdout: "" })
      expect(result.stderr).toContain(words)
      expect(result.code).toBe(code)
    }
  })

  it("Ctrl-C prints the summary and ends with 130; kill -9 costs at most what was under way; the next run goes on", async () => {
    api.behave({ embeddingLatency: 300 })
    const child = home.start(reindex("--workers", "2", "--json"), withServer())
    await until(() => api.stats().embeddingCalls >= 2)
    child.kill("SIGINT")
    const ended = await child.ended
    expect(ended.code).toBe(130)
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: "interrupted", files_new: 7 })

    const second = home.start(reindex("--workers", "1", "--json"), withServer())
    const before = api.stats().embeddingCalls
    await until(() => api.stats().embeddingCalls >= before + 2)
    second.kill("SIGKILL")
    expect((await second.ended).signal).toBe("SIGKILL")

    api.behave({ embeddingLatency: 0 })
    const last = await home.run(reindex("--workers", "3", "--json"), withServer())
    expect(last.code).toBe(0)
    expect(JSON.parse(last.stdout)).toMatchObject({
      status: "completed",
      files_unchanged: 7,
      pending_after: 0
    })
    const names = api.log().flatMap(({ outcome, text }) => (outcome === "answered" ? [text] : []))
    // An answer may have been on the way when its reader was killed.
    expect(names.length - new Set(names).size).toBeLessThanOrEqual(1)
    const nothing = await home.run(reindex(), withServer())
    expect(nothing).toMatchObject({ code: 0 })
    expect(nothing.stdout).toContain("Nothing to do")
  })

  it("the cap is told and kept", async () => {
    const result = await home.run(
      reindex("--force", "--workers", "1", "--max-cost-usd", "0.0001"),
      withServer()
    )
    expect(result.code).toBe(0)
    expect(result.stdout).toContain("Stopped at the budget of $0.0001")
    expect(result.stderr).toContain("at most $0.0001 will be spent")
  })
})
