import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import { assert, integer, property } from "fast-check"
import {
  billedPixels,
  captionOf,
  fitWithin,
  imageTokens,
  mostPixels,
  pictureKind,
  pictureSlug
} from "../../src/domain/Images.ts"
import * as Money from "../../src/domain/Money.ts"
import { costOf, priceOf } from "../../src/domain/Prices.ts"

describe("images", () => {
  it("what a file is, by its name", () => {
    for (const name of [
      "a.png",
      "b/c.JPG",
      "d.jpeg",
      "e.gif",
      "f.webp",
      "g.avif",
      "h.heic",
      "i.tif",
      "j.tiff"
    ]) {
      expect(pictureKind(name)).toBe("image")
    }
    expect(pictureKind("Plan.PDF")).toBe("pdf")
    for (const name of ["a.md", "png", "a.png.txt", "constructor", "a.constructor", ""]) {
      expect(pictureKind(name)).toBeUndefined()
    }
  })

  it("a picture's slug keeps its ending; its caption names the page", () => {
    expect(pictureSlug("Photos\\Summer 2024/IMG_1.JPG")).toBe("photos/summer 2024/img_1.jpg")
    expect(captionOf("Plan.pdf", { number: 3, of: 12 })).toBe("Plan.pdf, page 3 of 12")
    expect(captionOf("a.png", null)).toBe("a.png")
  })

  it("an image is fitted within the pixels that count, its shape kept", () => {
    expect(fitWithin({ width: 1000, height: 1000 })).toEqual({ width: 1000, height: 1000 })
    expect(fitWithin({ width: 4000, height: 1000 })).toEqual({ width: 2828, height: 707 })
    assert(
      property(integer({ min: 1, max: 100_000 }), integer({ min: 1, max: 100_000 }), (width, height) => {
        const fitted = fitWithin({ width, height })
        expect(fitted.width).toBeGreaterThanOrEqual(1)
        expect(fitted.height).toBeGreaterThanOrEqual(1)
        expect(fitted.width * fitted.height).toBeLessThanOrEqual(mostPixels)
        expect(fitted.width).toBeLessThanOrEqual(width)
        expect(fitted.height).toBeLessThanOrEqual(height)
      })
    )
  })

  it("an image is paid for as fifty thousand to two million pixels, at Voyage's own examples", () => {
    const price = Option.getOrThrow(priceOf("voyage:voyage-multimodal-3", {}))
    const cost = (width: number, height: number) =>
      Money.toNumber(
        costOf(price, {
          inputTokens: 0,
          cachedTokens: 0,
          outputTokens: 0,
          imagePixels: billedPixels({ width, height })
        })
      )
    expect(cost(200, 200)).toBe(0.00003)
    expect(cost(1000, 1000)).toBe(0.0006)
    expect(cost(2000, 2000)).toBe(0.0012)
    expect(cost(4000, 4000)).toBe(0.0012)
    expect(imageTokens(2_000_000)).toBe(3572)
  })

  it("a price of pixels can be told, and only exactly", () => {
    const of = (pixels: string) => priceOf("mine", { mine: { input: "1", pixels } })
    expect(Option.getOrThrow(of("0.25")).pixel).toBe(250n)
    expect(of("0.0001")).toEqual(Option.none())
    expect(Option.getOrThrow(priceOf("mine", { mine: { input: "1" } })).pixel).toBeUndefined()
  })
})
