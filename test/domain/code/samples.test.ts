import { describe, expect, it } from "vitest"
import { samplesIn } from "../../../src/domain/code/Samples.ts"

const page = (...lines: ReadonlyArray<string>) => lines.join("\n")

describe("samples of code in a page", () => {
  const table: ReadonlyArray<
    readonly [what: string, markdown: string, samples: ReadonlyArray<readonly [string, string]>]
  > = [
    ["none", "prose with `code` in it", []],
    ["one", page("say", "```ts", "let x = 1", "```", "more"), [["fence.ts", "let x = 1"]]],
    ["a language by its name", page("```Python", "x = 1", "```"), [["fence.py", "x = 1"]]],
    [
      "more after the language",
      page('```rust title="a.rs"', "fn f() {}", "```"),
      [["fence.rs", "fn f() {}"]]
    ],
    ["tildes", page("~~~go", "var x = 1", "```", "~~~"), [["fence.go", "var x = 1\n```"]]],
    [
      "a longer fence holds a shorter",
      page("````js", "```", "1", "```", "````"),
      [["fence.js", "```\n1\n```"]]
    ],
    ["a fence that is never closed", page("```sh", "ls", "", "pwd"), [["fence.sh", "ls\n\npwd"]]],
    [
      "a fence that stands in",
      page("  ```c", "  int x;", "    int y;", "  ```"),
      [["fence.c", "int x;\n  int y;"]]
    ],
    ["four blanks are no fence", page("    ```c", "    int x;", "    ```"), []],
    ["marks in the line are code in a sentence", page("```ts let x``` is said", "and more"), []],
    ["no language", page("```", "let x = 1", "```"), []],
    ["a language that nobody knows", page("```mermaid", "graph TD", "```"), []],
    ["a name that is a file's ending only", page("```tfvars", "a = 1", "```"), []],
    ["nothing in it", page("```ts", "  ", "```"), []],
    [
      "ends of lines of other systems",
      "```ts\r\nlet x = 1\r\nlet y\r\n```\r\n",
      [["fence.ts", "let x = 1\nlet y"]]
    ],
    [
      "two, and prose between them that looks like an end",
      page("```ts", "1", "```", "```", "plain", "```", "~~~yml", "a: 1", "~~~"),
      [
        ["fence.ts", "1"],
        ["fence.yaml", "a: 1"]
      ]
    ]
  ]
  for (const [what, markdown, samples] of table) {
    it(what, () => expect(samplesIn(markdown).map(({ path, text }) => [path, text])).toEqual(samples))
  }

  it("the first hundred of a page", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => `\`\`\`ts\nlet x${n} = 1\n\`\`\`\n`).join("")
    const samples = samplesIn(many)
    expect(samples).toHaveLength(100)
    expect(samples[99]?.text).toBe("let x99 = 1")
  })

  it("reads a megabyte of anything once", () => {
    for (const piece of ["```", "`", "~", "``` ", "```ts\n", " ```\n", "~~~\n```\n", "\r", "   `"]) {
      expect(samplesIn(piece.repeat(1_000_000 / piece.length)).length).toBeLessThanOrEqual(100)
    }
  })
})
