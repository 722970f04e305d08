/** What `doctor` finds, and what it says to do. */
import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import type { Check } from "../../src/programs/doctor/Check.ts"
import { examine } from "../../src/programs/doctor/examine.ts"
import { brainLayer } from "../../src/programs/extract-conversation-facts/layer.ts"
import { brainStatus } from "../../src/programs/status/brainStatus.ts"
import { JobStore } from "../../src/services/JobStore.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { OpenAi } from "../../src/services/OpenAi.ts"
import { onBothDatabases } from "../support/brains.ts"
import { conversation, environment, putPages, standIn } from "../support/extraction.ts"
import { testsOn } from "../support/testsOn.ts"

/** No process has it: the kernel's largest is below. */
const nobody = 4_194_305

onBothDatabases("doctor", (brain) => {
  const test = testsOn(brain)
  const findings = Effect.fnUntraced(function* (env: Readonly<Record<string, string>>) {
    const { checks } = yield* examine().pipe(
      Effect.provide(OpenAi.layer),
      Effect.provide(brainLayer),
      Effect.provide(environment(env))
    )
    return (name: string): Check | undefined => checks.find((check) => check.name === name)
  })

  test("a brain in order, whose models answer", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const { checks } = yield* examine().pipe(
        Effect.provide(OpenAi.layer),
        Effect.provide(brainLayer),
        Effect.provide(environment({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" }))
      )
      expect(checks.filter((check) => check.status !== "ok")).toEqual([])
    }))

  test("models: no key, nobody at the address, no price", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const keyless = yield* findings({})
      for (const name of ["chat_model", "embedding_model"]) {
        expect(keyless(name)).toMatchObject({
          status: "fail",
          message: expect.stringContaining("OPENAI_API_KEY")
        })
      }
      const away = yield* findings({ OPENAI_BASE_URL: "http://127.0.0.1:9", OPENAI_API_KEY: "sk-test" })
      expect(away("chat_model")).toMatchObject({
        status: "fail",
        message: expect.stringContaining("127.0.0.1:9")
      })
      yield* sql`insert into config (key, value) values ('facts.extraction_model', 'openai:unheard-of')`
      expect((yield* findings({}))("chat_model_price")).toMatchObject({
        status: "warn",
        message: "no price is known for openai:unheard-of",
        fix: expect.stringMatching(/^gbrain config set pricing.overrides/)
      })
      expect(keyless("chat_model_price")).toMatchObject({ status: "ok" })
    }))

  test("conversations to do, from more than ten on", () =>
    Effect.gen(function* () {
      const pages = (count: number) =>
        putPages(
          Array.from({ length: count }, (_, n) => ({ slug: `chats/${n}`, body: conversation(`c${n}`, 2) }))
        )
      yield* pages(10)
      expect((yield* findings({}))("conversation_facts_backlog")).toMatchObject({ status: "ok" })
      yield* pages(11)
      expect((yield* findings({}))("conversation_facts_backlog")).toMatchObject({
        status: "warn",
        message: expect.stringContaining("11 to do"),
        fix: expect.stringContaining("gbrain extract-conversation-facts")
      })
    }))

  test("the index that replacing facts needs, once there are many", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const finding = Effect.map(findings({}), (named) => named("facts_superseded_by_index"))
      expect(yield* finding).toMatchObject({ status: "ok" })
      yield* sql`insert into facts (source, fact) select 'cli:test', 'said' from generate_series(1, 12000)`
      const missing = yield* finding
      expect(missing).toMatchObject({
        status: "warn",
        fix: expect.stringMatching(/^drop index .*;\ncreate index .* on facts \(superseded_by\) where .*;$/)
      })
      const mend = Effect.forEach((missing?.fix ?? "").split("\n"), (statement) => sql.unsafe(statement))
      yield* mend
      expect(yield* finding).toMatchObject({ status: "ok", message: "there" })
      // As a making leaves it that was cut short.
      yield* sql`update pg_index set indisvalid = false
        where indexrelid = 'gbrain_effect_facts_superseded_by'::regclass`
      expect(yield* finding).toMatchObject({ status: "warn" })
      yield* mend
      expect(yield* finding).toMatchObject({ status: "ok" })
    }))

  test("jobs that nobody works on", () =>
    Effect.gen(function* () {
      expect((yield* findings({}))("jobs")).toMatchObject({ status: "ok", message: "0 jobs wait or run" })
      yield* Effect.flatMap(JobStore, (store) =>
        store.add(
          [
            {
              command: "extract-conversation-facts",
              sourceId: Option.none(),
              asked: {},
              asking: "a",
              workers: "4"
            }
          ],
          Option.none()
        )
      ).pipe(Effect.provide(JobStore.layer))
      expect((yield* findings({}))("jobs")).toMatchObject({
        status: "warn",
        message: "1 job waits or runs, and nobody works on jobs",
        fix: "gbrain jobs work"
      })
      const { jobs } = yield* brainStatus().pipe(Effect.provide(brainLayer))
      expect(jobs).toMatchObject([{ command: "extract-conversation-facts", status: "waiting", workers: "4" }])
    }))

  test("leases of processes that are gone, here or past their time", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const self = yield* HostProcess
      const hold = (id: string, pid: number, host: string, seconds: number) => sql`
        insert into gbrain_cycle_locks (id, holder_pid, holder_host, ttl_expires_at, last_refreshed_at)
        values (${id}, ${pid}, ${host}, now() + make_interval(secs => ${seconds}), now())`
      yield* hold("mine", self.pid, self.host, 60)
      yield* hold("theirs", nobody, "elsewhere", 60)
      expect((yield* findings({}))("leases")).toMatchObject({ status: "ok", message: "2 held" })
      yield* hold("dead", nobody, self.host, 60)
      yield* hold("expired", 1, "elsewhere", -60)
      expect((yield* findings({}))("leases")).toMatchObject({
        status: "warn",
        message: expect.stringContaining("2 of 4 belong to processes that are gone")
      })
    }))

  test("pgvector that is old, or missing, and took its columns along", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`update pg_extension set extversion = '0.6.2' where extname = 'vector'`
      expect((yield* findings({}))("pgvector")).toMatchObject({
        status: "warn",
        message: "0.6.2 has no halfvec"
      })
      yield* sql`drop extension vector cascade`
      const without = yield* findings({})
      expect(without("pgvector")).toMatchObject({ status: "fail", fix: "create extension vector;" })
      expect(without("facts_embedding_width_consistency")).toMatchObject({
        status: "fail",
        message: "facts has no column for vectors; it went with pgvector"
      })
    }))
})
