/** Blocks between gbrain's markers are no part of what was said; a marker that opens none takes nothing away. */
import { describe, expect, it } from "@effect/vitest"
import { withoutFences } from "../../src/domain/Fences.ts"

const marker = (name: string, kind: string) => `<!-- gbrain:${name}:${kind} -->`

/** The text without blocks, a line an entry. */
const lines = (...text: ReadonlyArray<string>) => withoutFences(text.join("\n")).text.split("\n")

describe("blocks", () => {
  it("go with the headings over them", () => {
    const text = [
      "before",
      "## Facts",
      "",
      marker("facts", "begin"),
      "| a |",
      marker("facts", "end"),
      "after"
    ]
    expect(withoutFences(text.join("\n"))).toEqual({ text: "before\nafter", hasFacts: true })
    const other = [marker("takes", "begin"), "x", marker("takes", "end")]
    expect(withoutFences(other.join("\n"))).toEqual({ text: "", hasFacts: false })
    expect(
      lines(...text.slice(0, 3), "<!--- gbrain:facts:begin --->", "x", "  <!--- gbrain:facts:end --->", "z")
    ).toEqual(["before", "z"])
  })

  it("that hold markers of another name end at their own", () => {
    expect(lines(marker("facts", "begin"), marker("takes", "end"), "a", marker("facts", "end"), "b")).toEqual(
      ["b"]
    )
  })
})

describe("a marker without its end", () => {
  it("leaves what comes after it, and the heading before", () => {
    expect(lines("## Chat", marker("facts", "begin"), "one", "two")).toEqual(["## Chat", "one", "two"])
    expect(lines(marker("facts", "begin"), "one", marker("takes", "end"), "two")).toEqual(["one", "two"])
    expect(withoutFences(`${marker("facts", "begin")}\none`).hasFacts).toBe(false)
  })

  it("inside a message does not reach to the end of a true block further down", () => {
    const quoted = ["Ana: look", marker("facts", "begin"), "Omar: why?"]
    expect(
      lines(...quoted, "## Facts", marker("facts", "begin"), "| a |", marker("facts", "end"), "Ana: so")
    ).toEqual(["Ana: look", "Omar: why?", "Ana: so"])
  })

  it("is found in time that grows with the text", () => {
    const many = `${marker("facts", "begin")}\nx\n`.repeat(100_000)
    expect(withoutFences(many).text.split("\n")).toHaveLength(100_001)
  })
})
