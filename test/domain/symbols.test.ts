/** Where edges of code lead, as tables. */
import { describe, expect, it } from "@effect/vitest"
import { pathsOfModule } from "../../src/domain/symbols/Modules.ts"
import { formsOf, plainName, targetName } from "../../src/domain/symbols/Names.ts"
import { resolveEdge, type CodeSymbol } from "../../src/domain/symbols/Resolve.ts"

it("names are taken apart at the last ::, and compare whatever their language", () => {
  expect(targetName("render")).toEqual({ owner: undefined, name: "render" })
  expect(targetName("./users.ts::render")).toEqual({ owner: "./users.ts", name: "render" })
  expect(targetName("std::io::println")).toEqual({ owner: "std::io", name: "println" })
  expect(formsOf(targetName("Users::render"))).toContain("Users.render")
  expect(["A::b", "A.b", "A#b"].map(plainName)).toEqual(["A.b", "A.b", "A.b"])
})

describe("files of a module", () => {
  const cases: ReadonlyArray<readonly [module: string, path: string, language: string, file: string]> = [
    ["./users", "src/app.ts", "typescript", "src/users.ts"],
    ["./users.js", "src/app.ts", "typescript", "src/users.ts"],
    ["./users.ts", "src/app.ts", "typescript", "src/users.ts"],
    ["../core/users", "src/cli/app.tsx", "tsx", "src/core/users.tsx"],
    ["../core", "src/cli/app.js", "javascript", "src/core/index.js"],
    [".", "app.ts", "typescript", "index.ts"],
    ["acme.users", "src/acme/app.py", "python", "src/acme/users.py"],
    ["acme", "src/acme/app.py", "python", "src/acme/__init__.py"],
    [".users", "acme/app.py", "python", "acme/users.py"],
    ["..users", "acme/web/app.py", "python", "acme/users.py"],
    ["crate::users::auth", "src/web/app.rs", "rust", "src/users/auth.rs"],
    ["super::users", "src/web/app.rs", "rust", "src/users.rs"],
    ["com.acme.Users", "main/java/com/acme/App.java", "java", "main/java/com/acme/Users.java"],
    ["com.acme.Users", "main/kotlin/com/acme/App.kt", "kotlin", "main/kotlin/com/acme/Users.kt"],
    ["App\\Models\\User", "src/Http/Pay.php", "php", "src/Models/User.php"],
    ["App\\Models\\User", "app/Http/Pay.php", "php", "App/Models/User.php"],
    ["lib/users", "app/app.rb", "ruby", "lib/users.rb"],
    ["users.h", "src/app.c", "c", "src/users.h"]
  ]
  for (const [module, path, language, file] of cases) {
    it(`${module} in ${path} may be ${file}`, () => {
      expect(pathsOfModule(module, { path, language })).toContain(file)
    })
  }
  it("a package that is installed is none of the source's", () => {
    expect(pathsOfModule("react", { path: "src/app.ts", language: "typescript" })).toEqual([])
    expect(pathsOfModule("effect/sql", { path: "src/app.ts", language: "typescript" })).toEqual([])
  })
  it("nothing leads out of the source", () => {
    expect(pathsOfModule("../../../etc/x", { path: "a/b.ts", language: "typescript" })).toContain("etc/x.ts")
  })
})

const symbol = (chunkId: number, qualified: string, language = "typescript"): CodeSymbol => ({
  chunkId,
  qualified,
  language
})

describe("where an edge leads", () => {
  const own = [
    symbol(1, "run"),
    symbol(2, "Users.load"),
    symbol(3, "Users.save"),
    symbol(4, "twice"),
    symbol(5, "twice")
  ]
  const modules: Readonly<Record<string, ReadonlyArray<CodeSymbol>>> = {
    "./util": [symbol(10, "parse"), symbol(11, "Reader.next"), symbol(12, "Writer.next")],
    "./client": [symbol(13, "Client"), symbol(14, "Client.send")],
    "com.acme.Store": [symbol(15, "Store", "java"), symbol(16, "Store.get", "java")],
    "acme.users": [symbol(17, "load", "python")]
  }
  const everywhere = [
    symbol(20, "elsewhere"),
    symbol(21, "Store.get"),
    symbol(22, "many"),
    symbol(23, "many"),
    symbol(24, "parse", "python"),
    symbol(10, "parse")
  ]
  const at = (
    to: string,
    more: { imports?: ReadonlyArray<string>; language?: string; from?: string } = {}
  ): string => {
    const found = resolveEdge(
      { from: more.from ?? "Users.load", to, language: more.language ?? "typescript" },
      {
        own,
        imports: more.imports ?? [],
        ofModule: (module) => modules[module],
        called: (name) => everywhere.filter((it) => plainName(it.qualified) === plainName(name))
      }
    )
    if (found.kind === "resolved") return String(found.chunkId)
    return found.kind === "ambiguous" ? found.chunkIds.join("|") : "-"
  }
  const cases: ReadonlyArray<readonly [why: string, found: string, expected: string]> = [
    ["a function of the file", at("run"), "1"],
    ["a method of a class of the file", at("Users::save"), "3"],
    ["two of the file: none is chosen", at("twice"), "4|5"],
    ["a method that is called by its name alone, in Java", at("save", { language: "java" }), "3"],
    ["and in TypeScript, where that is no call of a method", at("save"), "-"],
    ["an imported function", at("parse", { imports: ["./util::parse"] }), "10"],
    ["the import itself", at("./util::parse", { imports: ["./util::parse"] }), "10"],
    ["a method of an imported class", at("Reader::next", { imports: ["./util::Reader"] }), "11"],
    ["a method of something in a module: two have it", at("./util::next"), "11|12"],
    [
      "a name that a package has is not one of ours",
      at("elsewhere", { imports: ["left-pad::elsewhere"] }),
      "-"
    ],
    ["nor is one of a module that is no file", at("left-pad::elsewhere", { imports: ["left-pad::*"] }), "-"],
    ["what is not imported cannot be meant", at("elsewhere", { imports: ["./util::parse"] }), "-"],
    ["unless the file tells nothing of its imports", at("elsewhere"), "20"],
    ["or needs none", at("elsewhere", { imports: ["fmt::*"], language: "go" }), "-"],
    ["a method whose class is known", at("Store::get", { imports: ["./util::parse"] }), "21"],
    ["two of the source: none is chosen", at("many"), "22|23"],
    ["only in the own language", at("parse", { language: "python" }), "24"],
    ["a class in a file of its own", at("Store", { imports: ["com.acme::Store"], language: "java" }), "15"],
    ["its import", at("com.acme::Store", { imports: ["com.acme::Store"], language: "java" }), "15"],
    ["a class of somebody else's", at("Store", { imports: ["org.other::Store"], language: "java" }), "-"],
    [
      "a function of a module of a package",
      at("acme::load", { imports: ["acme::users"], language: "python" }),
      "17"
    ],
    ["what a file exports by default", at("Client", { imports: ["./client::default"] }), "13"],
    ["and a method of it", at("Client::send", { imports: ["./client::default"] }), "14"],
    ["all of a module is no symbol", at("./util::*"), "-"],
    ["nobody has it", at("nothing"), "-"]
  ]
  for (const [why, found, expected] of cases) it(why, () => expect(found).toBe(expected))
})
