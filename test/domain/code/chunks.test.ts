/** What becomes a chunk, in every language: which symbols, under which full names, and what they say of others. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { chunkCode } from "../../../src/domain/code/CodeChunks.ts"
import { codeOfChunk, placeChunks } from "../../../src/domain/code/ChunkRows.ts"
import { languageOfPath } from "../../../src/domain/code/Languages.ts"
import { parseSyntax } from "../../../src/services/code/syntax.ts"

const chunksOf = async (path: string, source: string) => {
  const language = languageOfPath(path)
  if (language === undefined) throw new Error(`${path} is no code`)
  return chunkCode(
    source,
    path,
    language,
    language.parsed ? await parseSyntax(source, language.id) : undefined
  )
}

/** `type full.name`, for every symbol. */
const symbolsOf = async (path: string, source: string) =>
  (await chunksOf(path, source)).flatMap((chunk) =>
    chunk.symbolName === null ? [] : [`${chunk.symbolType} ${chunk.qualifiedName ?? `(${chunk.symbolName})`}`]
  )

/** `from type to`, for every edge. */
const edgesOf = async (path: string, source: string) =>
  (await chunksOf(path, source)).flatMap((chunk) =>
    chunk.edges.map((edge) => `${edge.from} ${edge.type} ${edge.to}`)
  )

interface Example {
  readonly path: string
  readonly source: string
  readonly symbols: ReadonlyArray<string>
  readonly edges: ReadonlyArray<string>
}

const examples: ReadonlyArray<Example> = [
  {
    path: "a.ts",
    source: `import def, { x as y } from "./mod"
import * as ns from "pkg"
export class Foo<A> extends Bar implements Baz {
  handler = async () => { y() }
  run(a: T): void { this.stop(); ns.go(); const c = new Cat(); c.meow() }
}
interface I extends J { m(): void }
type U = T | string
enum E { A }
namespace N { export function inner() {} }
export const arrow = (a: number) => def(a)
export default function () {}
`,
    symbols: [
      "class Foo",
      "function Foo.handler",
      "method definition Foo.run",
      "interface I",
      "type U",
      "enum E",
      "module N",
      "function N.inner",
      "function arrow",
      "function default"
    ],
    edges: [
      "a.ts imports ./mod::default",
      "a.ts imports ./mod::x",
      "a.ts imports pkg::*",
      "Foo extends Bar",
      "Foo implements Baz",
      "Foo.handler calls ./mod::x",
      "Foo.run references T",
      "Foo.run calls Foo::stop",
      "Foo.run calls pkg::go",
      "Foo.run calls Cat",
      "Foo.run calls Cat::meow",
      "I extends J",
      "U references T",
      "arrow calls def"
    ]
  },
  {
    path: "a.tsx",
    source:
      "export function App(props: Props) { return <Box onClick={() => props.close()}>{name()}</Box> }\n",
    symbols: ["function App"],
    edges: ["App references Props", "App calls close", "App calls name"]
  },
  {
    path: "a.js",
    source: `const x = require("y")
exports.foo = function () { x() }
class A extends B { static #p() {} }
module.exports = class Foo {}
`,
    symbols: ["function foo", "class A", "method definition A.#p", "class Foo"],
    edges: ["a.js imports y::*", "foo calls x", "A extends B"]
  },
  {
    path: "a.py",
    source: `import os.path as p
from a.b import c
@dec
class Foo(Bar, metaclass=M):
    @property
    def v(self):
        return self.w()
async def top():
    f = Foo()
    f.v()
    return p.join(c())
`,
    symbols: ["class Foo", "function Foo.v", "function top"],
    edges: [
      "a.py imports os.path::*",
      "a.py imports a.b::c",
      "Foo extends Bar",
      "Foo.v calls Foo::w",
      "top calls Foo",
      "top calls Foo::v",
      "top calls os.path::join",
      "top calls c"
    ]
  },
  {
    path: "a.go",
    source: `package a
import ( "fmt"; x "a/b" )
type Server struct { Base }
type ( A int; B interface { M() } )
func (s *Server) Run() error { fmt.Println(); return x.Do() }
func Top[T any](a T) {}
`,
    symbols: [
      "type declaration Server",
      "type declaration A",
      "type declaration B",
      "method declaration Server.Run",
      "function Top"
    ],
    edges: ["a.go imports fmt::*", "a.go imports a/b::*", "Server.Run calls Println", "Server.Run calls Do"]
  },
  {
    path: "a.rs",
    source: `use std::{fmt, io::{self, Read}};
pub struct Foo<T> { x: T }
impl<T> fmt::Display for Foo<T> { fn fmt(&self) { self.go(); Bar::new() } }
trait Tr: Super { fn d(&self) {} }
mod m { pub fn inner() {} }
`,
    symbols: [
      "struct item Foo",
      "impl item (Foo)",
      "function Foo::fmt",
      "trait item Tr",
      "function Tr::d",
      "mod item m",
      "function m::inner"
    ],
    edges: [
      "a.rs imports std::fmt",
      "a.rs imports std::io",
      "a.rs imports std::io::Read",
      "Foo implements Display",
      "Foo::fmt calls go",
      "Foo::fmt calls new",
      "Tr extends Super"
    ]
  },
  {
    path: "A.java",
    source: `import java.util.List;
public class A<T> extends Base<T> implements I, J<K> {
  public A() { run(); }
  @Override public void run() { List.of(new Foo()); }
  static class Inner { void z() {} }
}
record R(int a) implements I { void x() {} }
`,
    symbols: [
      "class A",
      "constructor declaration A.A",
      "method declaration A.run",
      "class A.Inner",
      "method declaration A.Inner.z",
      "record declaration R",
      "method declaration R.x"
    ],
    edges: [
      "A.java imports java.util::List",
      "A extends Base",
      "A implements I",
      "A implements J",
      "A.A calls run",
      "A.run calls of",
      "A.run calls Foo",
      "R implements I"
    ]
  },
  {
    path: "a.c",
    source: `#include <stdio.h>
struct s { int x; };
typedef struct t { int y; } t_t;
static int *f(int a) { printf("x"); return 0; }
`,
    symbols: ["struct specifier s", "type t_t", "function f"],
    edges: ["a.c imports stdio.h::*", "f calls printf"]
  },
  {
    path: "a.cpp",
    source: `#include "x.h"
namespace ns {
template <typename T> class Foo : public Bar { void run() { go(); ns::f(); new Zed(); } };
void Foo::out(int a) const { g(); }
}
`,
    symbols: ["namespace definition ns", "class ns.Foo", "function ns.Foo.run", "function ns.Foo.out"],
    edges: [
      "a.cpp imports x.h::*",
      "ns.Foo extends Bar",
      "ns.Foo.run calls go",
      "ns.Foo.run calls f",
      "ns.Foo.run calls Zed",
      "ns.Foo.out calls g"
    ]
  },
  {
    path: "a.cs",
    source: `using System.Text;
namespace Demo;
public class Foo<T> : Bar, IBaz {
  public Foo() { Run(); }
  public void Run() { X.Y.Z(); }
}
`,
    symbols: ["class Demo.Foo", "constructor declaration Demo.Foo.Foo", "method declaration Demo.Foo.Run"],
    edges: [
      "a.cs imports System.Text::*",
      "Demo.Foo extends Bar",
      "Demo.Foo implements IBaz",
      "Demo.Foo.Foo calls Run",
      "Demo.Foo.Run calls Z"
    ]
  },
  {
    path: "a.rb",
    source: `require 'json'
module Admin
  class Users < Base
    include Comparable
    def show!
      render :x
    end
  end
end
`,
    symbols: ["module Admin", "class Admin::Users", "function Admin::Users#show!"],
    edges: [
      "a.rb imports json::*",
      "Admin::Users extends Base",
      "Admin::Users mixes_in Comparable",
      "Admin::Users#show! calls render"
    ]
  },
  {
    path: "a.php",
    source: `<?php
use C\\D;
class Dog extends Animal implements Barker {
  use T;
  public function bark() { $this->wag(); Other::wag2(); new Cat(); }
}
function top() { strlen("x"); }
`,
    symbols: ["class Dog", "method declaration Dog.bark", "function top"],
    edges: [
      "a.php imports C::D",
      "Dog extends Animal",
      "Dog implements Barker",
      "Dog mixes_in T",
      "Dog.bark calls wag",
      "Dog.bark calls wag2",
      "Dog.bark calls Cat",
      "top calls strlen"
    ]
  },
  {
    path: "a.swift",
    source: `import Foundation
class Dog: Animal, Barker { init(x: Int) {}
  func bark() { print("x"); self.wag() } }
extension Dog: Hash { func hash() -> Int { return 1 } }
protocol P: Q { func f() }
`,
    symbols: [
      "class Dog",
      "constructor declaration Dog.init",
      "function Dog.bark",
      "class Dog",
      "function Dog.hash",
      "protocol declaration P"
    ],
    edges: [
      "a.swift imports Foundation::*",
      "Dog extends Animal",
      "Dog implements Barker",
      "Dog.bark calls print",
      "Dog.bark calls wag",
      "Dog implements Hash",
      "P extends Q"
    ]
  },
  {
    path: "a.kt",
    source: `import a.b.C
class Dog(val n: String) : Animal(n), Barker {
  fun bark() { println("x"); other.wag2() }
  companion object { fun make() = Dog("x") }
}
object Single { fun g() {} }
`,
    symbols: [
      "class Dog",
      "function Dog.bark",
      "object declaration Dog.Companion",
      "function Dog.Companion.make",
      "object declaration Single",
      "function Single.g"
    ],
    edges: [
      "a.kt imports a.b::C",
      "Dog extends Animal",
      "Dog implements Barker",
      "Dog.bark calls println",
      "Dog.bark calls wag2",
      "Dog.Companion.make calls Dog"
    ]
  },
  {
    path: "a.scala",
    source: `import a.b.{C, D}
class Dog(n: String) extends Animal(n) with Barker { def bark(): Unit = { println("x") } }
`,
    symbols: ["class Dog", "function Dog.bark"],
    edges: [
      "a.scala imports a.b::C",
      "a.scala imports a.b::D",
      "Dog extends Animal",
      "Dog mixes_in Barker",
      "Dog.bark calls println"
    ]
  },
  {
    path: "a.lua",
    source: `local m = require("foo.bar")
local function f(a) return g(a) end
function M.foo(x) m.bar(x) end
function M:baz() self:qux() end
`,
    symbols: ["function f", "function M.foo", "function M.baz"],
    edges: ["a.lua imports foo.bar::*", "f calls g", "M.foo calls bar", "M.baz calls qux"]
  },
  {
    path: "a.sh",
    source: "source ./lib.sh\nfoo() { bar 1; }\n",
    symbols: ["function foo"],
    edges: ["a.sh imports ./lib.sh::*", "foo calls bar"]
  },
  {
    path: "a.ex",
    source: `defmodule A.B do
  alias Foo.Bar
  use GenServer
  def hello(x) when x > 1 do
    Bar.go(x)
  end
  defp local(y), do: y
end
`,
    symbols: ["module A.B", "function A.B.hello", "function A.B.local"],
    edges: ["A.B imports Foo.Bar::*", "A.B mixes_in GenServer", "A.B.hello calls go"]
  },
  {
    path: "a.dart",
    source: `import 'package:a/b.dart';
class Dog extends Animal with M implements Barker {
  void bark() { print('x'); other.wag2(); }
}
`,
    symbols: ["class Dog", "function Dog.bark"],
    edges: [
      "a.dart imports package:a/b.dart::*",
      "Dog extends Animal",
      "Dog mixes_in M",
      "Dog implements Barker",
      "Dog.bark calls print",
      "Dog.bark calls wag2"
    ]
  },
  {
    path: "a.sol",
    source: `import "./b.sol";
contract A is B { function f(uint a) public { g(a); } }
`,
    symbols: ["contract declaration A", "function A.f"],
    edges: ["a.sol imports ./b.sol::*", "A extends B", "A.f calls g"]
  }
]

describe("chunks of code", () => {
  for (const { edges, path, source, symbols } of examples) {
    it(`${path}: symbols, and what they say of others`, async () => {
      expect(await symbolsOf(path, source)).toEqual(symbols)
      expect((await edgesOf(path, source)).toSorted()).toEqual(edges.toSorted())
    })
  }

  it("a class's own chunk has all but its members, and names them; each member has a chunk", async () => {
    const chunks = await chunksOf("a.ts", "/** Doc. */\nclass A {\n  x = 1\n  run() { go() }\n}\n")
    expect(chunks).toMatchObject([
      {
        text: "[TypeScript] a.ts class A\n\n/** Doc. */\nclass A {\n  x = 1\n}\n\nMembers: run",
        docComment: "Doc.",
        startLine: 1,
        endLine: 5,
        parents: []
      },
      {
        text: "[TypeScript] a.ts method definition run (in A)\n\n  run() { go() }",
        symbolName: "run",
        qualifiedName: "A.run",
        parents: ["A"],
        docComment: null,
        startLine: 4,
        endLine: 4
      }
    ])
  })

  it.each([
    ["a.ts", "/**\n * One.\n * Two.\n */\nfunction f() {}", "One.\nTwo."],
    ["a.go", "package a\n\n// One.\n// Two.\nfunc F() {}", "One.\nTwo."],
    ["a.rs", "/// One.\n#[inline]\nfn f() {}", "One."],
    ["a.py", 'def f():\n    """One.\n\n    Two."""\n    pass', "One.\n\nTwo."],
    ["a.ts", "const a = 1 // about a\nfunction f() {}", null],
    ["a.ts", "// about nothing\n\nfunction f() {}", null]
  ])("%s: the comment above a symbol is its documentation: %j", async (path, source, doc) => {
    const found = (await chunksOf(path, source)).find((chunk) => chunk.symbolName?.toLowerCase() === "f")
    expect(found?.docComment).toBe(doc)
  })

  it("names are of every script", async () => {
    expect(
      await symbolsOf("a.py", "class Größe:\n    def 計算(self):\n        return self.מדידה()\n")
    ).toEqual(["class Größe", "function Größe.計算"])
    expect(await edgesOf("a.py", "def 計算():\n    return μέτρο()\n")).toEqual(["計算 calls μέτρο"])
  })

  it("small constants stay together with the imports; long ones have a chunk", async () => {
    const long = `const table = [${"'value', ".repeat(40)}]`
    const chunks = await chunksOf("a.ts", `import a from "a"\nconst one = 1\n${long}\nconst two = 2\n`)
    expect(chunks.map((chunk) => chunk.symbolName)).toEqual([null, "table"])
    expect(codeOfChunk(chunks[0]?.text ?? "")).toBe('import a from "a"\nconst one = 1\nconst two = 2')
  })

  it("a large function is cut between statements; its first chunk has the full name, each has its edges", async () => {
    const body = Array.from({ length: 300 }, (_, index) => `  step${index}(${index})\n`).join("")
    const chunks = await chunksOf("a.ts", `function big() {\n${body}}\n`)
    expect(chunks.length).toBeGreaterThan(2)
    expect(chunks.map((chunk) => chunk.symbolName)).toEqual(chunks.map(() => "big"))
    expect(chunks.map((chunk) => chunk.qualifiedName)).toEqual(["big", ...chunks.slice(1).map(() => null)])
    expect(chunks.every((chunk) => chunk.text.length < 2200)).toBe(true)
    const calls = chunks.flatMap((chunk) => chunk.edges)
    expect(calls).toHaveLength(300)
    expect(new Set(calls.map((edge) => edge.from))).toEqual(new Set(["big"]))
    for (const [index, chunk] of chunks.entries()) {
      if (index > 0) expect(chunk.startLine).toBe((chunks[index - 1]?.endLine ?? 0) + 1)
    }
  })

  it("what a grammar cannot read is kept, and the symbols around it are found", async () => {
    const source = "function a() { go() }\nclass { % ] oops\nfunction b() { stop() }\n"
    const chunks = await chunksOf("a.ts", source)
    const texts = chunks.map((chunk) => codeOfChunk(chunk.text)).join("\n")
    expect(texts).toContain("oops")
    expect(chunks.map((chunk) => chunk.symbolName)).toContain("a")
    expect(texts).toContain("b() { stop() }")
  })

  it.each(["", "   \n\n", "\ufeff"])("a file of nothing (%j) has no chunk", async (source) => {
    expect(await chunksOf("a.ts", source)).toEqual([])
  })

  it("a language without a grammar is cut as text", async () => {
    const chunks = await chunksOf("data.json", `{\n${'  "key": "value",\n'.repeat(500)}  "end": 1\n}`)
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.every((chunk) => chunk.symbolType === "module" && chunk.language === "json")).toBe(true)
  })

  const letters = (text: string) => text.replace(/\s+/g, "")
  const statements = fc.array(
    fc.oneof(
      fc.constantFrom(
        "import a from 'b'",
        "const x = 1;",
        "// a remark",
        "",
        "type T = A | B",
        "x();",
        "}",
        "{ ("
      ),
      fc
        .integer({ min: 0, max: 60 })
        .map((size) => `function f${size}() {\n${"  call()\n".repeat(size * 8)}}`),
      fc
        .integer({ min: 0, max: 9 })
        .map((size) => `/** D. */\nclass C { a = '${"z".repeat(size * 900)}'\n m() { b() } n() {} }`),
      fc.string({ unit: "grapheme" })
    ),
    { maxLength: 12 }
  )

  it("nothing is lost and nothing is there twice, whatever the text", async () => {
    await fc.assert(
      fc.asyncProperty(statements, async (lines) => {
        const source = lines.join("\n")
        const chunks = await chunksOf("a.ts", source)
        const kept = chunks
          .map((chunk) => codeOfChunk(chunk.text).replace(/\n\nMembers: [^\n]*$/, ""))
          .join("")
        const count = (text: string) => Array.from(letters(text)).toSorted().join("")
        expect(count(kept)).toBe(count(source.replaceAll("\ufeff", "")))
        for (const chunk of chunks) expect(chunk.startLine).toBeLessThanOrEqual(chunk.endLine)
      }),
      { numRuns: 60 }
    )
  })

  const sized = (size: number, unit: string) => unit.repeat(Math.ceil(size / unit.length))
  it.each([
    ["a.ts", sized(1_000_000, "(")],
    ["a.ts", sized(200_000, "class A{")],
    ["a.ts", sized(200_000, "()=>")],
    ["a.ts", `x${sized(200_000, ".a()")}`],
    ["a.ts", `${sized(1_000_000, "// x\n")}function f() {}`],
    ["a.cpp", sized(200_000, "template<class T> ")],
    ["a.rs", sized(200_000, "use a::{")],
    ["a.py", sized(200_000, "变量=函数(值)\n")],
    ["a.json", sized(1_000_000, "[")]
  ])("text that is made to take long is cut: %s, %.12s", async (path, source) => {
    const chunks = await chunksOf(path, source)
    expect(chunks.reduce((sum, chunk) => sum + codeOfChunk(chunk.text).length, 0)).toBeGreaterThan(
      source.length / 2
    )
  })
})

describe("which rows chunks get", () => {
  const row = (id: number, index: number, text: string) => ({ id, index, text })
  it.each([
    [
      "nothing changed",
      [row(1, 0, "a"), row(2, 1, "b")],
      ["a", "b"],
      [
        [1, 0],
        [2, 1]
      ],
      [],
      []
    ],
    ["one before the others", [row(1, 0, "a")], ["new", "a"], [[1, 1]], [0], []],
    ["one changed", [row(1, 0, "a"), row(2, 1, "b")], ["a", "c"], [[1, 0]], [1], [2]],
    [
      "places changed",
      [row(1, 0, "a"), row(2, 1, "b")],
      ["b", "a"],
      [
        [2, 0],
        [1, 1]
      ],
      [],
      []
    ],
    ["twice the same", [row(1, 0, "a"), row(2, 1, "a")], ["a"], [[1, 0]], [], [2]],
    [
      "the line above the code changed",
      [row(1, 0, "[Go] a.go:1-2 function f\n\nx")],
      ["[Go] b.go function f\n\nx"],
      [[1, 0]],
      [],
      []
    ]
  ])("%s", (_, rows, wanted, kept, added, removed) => {
    const plan = placeChunks(rows, wanted)
    expect(plan.kept.map(({ id, index }) => [id, index])).toEqual(kept)
    expect(plan.added).toEqual(added)
    expect(plan.removed).toEqual(removed)
  })
})
