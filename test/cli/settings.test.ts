import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { freshDatabase } from "../support/brains.ts"
import { type CliHome, cliHome } from "../support/cli.ts"

/** An address at which nobody answers, so that the error tells which brain was meant. */
const nobody = (name: string) => `postgres://me:secret-word@127.0.0.1:1/${name}`

describe("which brain a command works on", () => {
  let home: CliHome
  let config: string
  beforeAll(async () => {
    home = await cliHome()
    config = join(home.directory, "home", "config.json")
    await mkdir(join(home.directory, "home"))
  })
  afterEach(() => rm(config, { force: true }))
  afterAll(() => home.remove())

  const meant = async (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
    const { code, stderr, stdout } = await home.run(["status", ...args], env)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).not.toContain("secret-word")
    return stderr
  }

  it("--url comes before the environment, GBRAIN_DATABASE_URL before DATABASE_URL, both before the file", async () => {
    await writeFile(config, JSON.stringify({ engine: "postgres", database_url: nobody("file") }))
    const env = { GBRAIN_DATABASE_URL: nobody("ours"), DATABASE_URL: nobody("theirs") }
    expect(await meant(["--url", nobody("flag")], env)).toContain("127.0.0.1:1/flag")
    expect(await meant([], env)).toContain("127.0.0.1:1/ours")
    expect(await meant([], { DATABASE_URL: env.DATABASE_URL })).toContain("127.0.0.1:1/theirs")
    expect(await meant([], { GBRAIN_DATABASE_URL: "", DATABASE_URL: "" })).toContain("127.0.0.1:1/file")
  })

  it("--path comes before the environment", async () => {
    const folder = join(home.directory, "nowhere")
    expect(await meant(["--path", folder], { DATABASE_URL: nobody("theirs") })).toContain(folder)
  })

  it("gbrain's own file is read when there is none of ours, for its brains on Postgres only", async () => {
    const folder = join(home.directory, ".gbrain")
    await mkdir(folder)
    const file = join(folder, "config.json")
    await writeFile(
      file,
      JSON.stringify({
        engine: "postgres",
        database_url: nobody("gbrains"),
        openai_api_key: "sk-secret-word"
      })
    )
    expect(await meant([])).toContain("127.0.0.1:1/gbrains")
    await writeFile(config, JSON.stringify({ engine: "postgres", database_url: nobody("ours") }))
    expect(await meant([])).toContain("127.0.0.1:1/ours")
    await rm(config)
    // GBRAIN_HOME is the folder around gbrain's own.
    const around = join(home.directory, "home", ".gbrain")
    await mkdir(around)
    await writeFile(
      join(around, "config.json"),
      JSON.stringify({ engine: "postgres", database_url: nobody("elsewhere") })
    )
    expect(await meant([])).toContain("127.0.0.1:1/elsewhere")
    await rm(around, { recursive: true })
    await writeFile(file, JSON.stringify({ engine: "pglite", database_path: folder }))
    expect(await meant([])).toContain("gbrain init")
    await rm(folder, { recursive: true })
  })

  it("a file that cannot be read is named, without what is in it", async () => {
    for (const content of [
      `{"database_url": "${nobody("x")}",`,
      JSON.stringify({ database_url: { text: nobody("x") } }),
      "null"
    ]) {
      await writeFile(config, content)
      expect(await meant([])).toContain(`${config} cannot be read`)
    }
  })

  it("an address that is no Postgres URL is refused by the name of where it stands", async () => {
    const wrong = [
      "mysql://me:secret-word@127.0.0.1/x",
      "me:secret-word@127.0.0.1/x",
      "secret-word",
      "postgres://",
      // Read as a URL, the host of this one would be a piece of the password.
      "postgres://me:p@secret-word/1@127.0.0.1:1/x",
      "postgres://me:1#secret-word@127.0.0.1:1/x"
    ]
    for (const address of wrong) {
      expect(await meant([], { DATABASE_URL: address })).toContain("DATABASE_URL should be a Postgres URL")
    }
    await writeFile(config, JSON.stringify({ database_url: wrong[0] }))
    expect(await meant([])).toContain(`${config} should be a Postgres URL`)
  })

  it("a password in the address's query is not shown either", async () => {
    expect(await meant(["--url", "postgres://127.0.0.1:1/brain?password=secret-word"])).toContain(
      "127.0.0.1:1/brain"
    )
  })

  it("nothing is made by commands that look for a brain", async () => {
    const folder = join(home.directory, "looking")
    await mkdir(folder)
    const { code, stderr } = await home.run(["status", "--path", "typo"], {}, { cwd: folder })
    expect(code).toBe(1)
    expect(stderr).toContain("gbrain init --path typo")
    expect(await readdir(folder)).toEqual([])
  })
})

describe("init", () => {
  let home: CliHome
  beforeAll(async () => {
    home = await cliHome()
  })
  afterAll(() => home.remove())

  it("notes where the brain is, for its owner's eyes only and for commands in other folders", async () => {
    const made = await home.run(["init", "--path", "./mine", "--json"], {}, { cwd: home.directory })
    expect(made).toMatchObject({ code: 0, stderr: "" })
    const { settings } = JSON.parse(made.stdout)
    expect(settings).toBe(join(home.directory, "home", "config.json"))
    expect((await stat(settings)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(settings, "utf8"))).toEqual({
      engine: "pglite",
      database_path: join(home.directory, "mine")
    })
    const status = JSON.parse((await home.run(["status", "--json"], {}, { cwd: "/" })).stdout)
    expect(status).toMatchObject({ pages: 0, facts: 0 })
  })

  it("a known model's own width is taken when none is told", async () => {
    const made = await home.run([
      "init",
      "--path",
      join(home.directory, "voyage"),
      "--embedding-model",
      "voyage:voyage-4",
      "--json"
    ])
    expect(JSON.parse(made.stdout)).toMatchObject({
      embeddingModel: "voyage:voyage-4",
      embeddingDimensions: 1024
    })
    await home.run(["init", "--path", join(home.directory, "mine")])
  })

  it("run again finds the brain and changes nothing; another width is refused", async () => {
    const again = await home.run(["init", "--path", join(home.directory, "mine"), "--json"])
    expect(JSON.parse(again.stdout)).toMatchObject({ created: false, embeddingDimensions: 1536 })
    const other = await home.run([
      "init",
      "--path",
      join(home.directory, "mine"),
      "--embedding-dimensions",
      "64"
    ])
    expect(other).toMatchObject({ code: 1, stdout: "" })
    expect(other.stderr).toContain("--embedding-dimensions")
  })

  it("says which brain commands use after it, and which they used before", async () => {
    const mine = join(home.directory, "mine")
    const other = join(home.directory, "other")
    const first = await home.run(["init", "--path", mine])
    expect(first).toMatchObject({ code: 0, stderr: "" })
    expect(first.stdout).toContain("Commands use it from now on.")
    const again = await home.run(["init", "--path", mine])
    expect(again.stdout).not.toContain("Until now")
    const second = await home.run(["init", "--path", other])
    expect(second.stdout).toContain(
      `Until now the embedded brain in ${mine} was noted there. To go back to that one: gbrain init --path ${mine}`
    )
    const file = join(home.directory, "home", "config.json")
    await writeFile(file, JSON.stringify({ database_url: nobody("earlier") }))
    const third = await home.run(["init", "--path", mine, "--json"])
    expect(JSON.parse(third.stdout)).toMatchObject({
      usedByCommands: true,
      overriddenBy: null,
      usedBefore: "the Postgres brain 127.0.0.1:1/earlier"
    })
  })

  it("says when an environment variable makes commands use another brain than the one it set up", async () => {
    for (const variable of ["GBRAIN_DATABASE_URL", "DATABASE_URL"]) {
      const made = await home.run(["init"], { [variable]: nobody("theirs") })
      expect(made.code).toBe(0)
      expect(made.stdout).not.toContain("Commands use it")
      expect(made.stderr).toContain(
        `${variable} is set, so commands use the Postgres brain 127.0.0.1:1/theirs. Unset it to use the brain that was set up now, or give each command --path ${join(home.directory, "home", "brain")}.`
      )
      expect(made.stdout + made.stderr).not.toContain("secret-word")
      const json = await home.run(["init", "--json"], { [variable]: nobody("theirs") })
      expect(JSON.parse(json.stdout)).toMatchObject({ usedByCommands: false, overriddenBy: variable })
    }
    const broken = await home.run(["init"], { DATABASE_URL: "secret-word" })
    expect(broken.code).toBe(0)
    expect(broken.stderr).toContain("DATABASE_URL should be a Postgres URL")
    expect(broken.stderr).not.toContain("secret-word")
  })

  it("without GBRAIN_HOME the platform's folders are used", async () => {
    const env = {
      GBRAIN_HOME: "",
      XDG_CONFIG_HOME: join(home.directory, "cfg"),
      XDG_DATA_HOME: join(home.directory, "data")
    }
    const made = JSON.parse((await home.run(["init", "--json"], env)).stdout)
    expect(made.settings.startsWith(home.directory)).toBe(true)
    const { database_path } = JSON.parse(await readFile(made.settings, "utf8"))
    expect(database_path.startsWith(home.directory)).toBe(true)
    expect((await home.run(["status"], env)).code).toBe(0)
  })

  it("settings whose place is taken by a file are an error that names it", async () => {
    const taken = join(home.directory, "taken")
    await writeFile(taken, "")
    const result = await home.run(["init", "--path", join(home.directory, "mine")], { GBRAIN_HOME: taken })
    expect(result.code).toBe(1)
    expect(result.stderr).toContain(`cannot be written to ${join(taken, "config.json")}`)
    expect(result.stderr).not.toContain("    at ")
  })
})

describe.skipIf(inject("noPostgres") !== "")(`a brain on Postgres ${inject("noPostgres")}`, () => {
  it("is made and found again by its address, and no output has the password", async () => {
    const scope = await Effect.runPromise(Scope.make())
    const home = await cliHome()
    const url = new URL(await Effect.runPromise(freshDatabase.pipe(Scope.provide(scope))))
    // The server of the tests lets everybody in, so any password does.
    if (url.password === "") url.password = "secret-word"
    const results = [
      await home.run(["init", "--url", url.href]),
      await home.run(["status"]),
      await home.run(["doctor"]),
      await home.run(["config", "show"]),
      await home.run(["extract-conversation-facts"])
    ]
    expect(results.map((result) => result.code)).toEqual([0, 0, 1, 0, 1])
    for (const { stderr, stdout } of results) {
      expect(stdout + stderr).not.toContain(url.password)
    }
    const file = join(home.directory, "home", "config.json")
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ engine: "postgres", database_url: url.href })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await home.remove()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })
})
