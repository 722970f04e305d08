/**
 * The stand-in API as a program: `node test/support/fake-api/main.ts --chat-latency 1500 --time-scale 0.1`. Its first line of
 * output is the address to set OPENAI_BASE_URL to; it serves until it is stopped.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Option, Record, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { start } from "./FakeApi.ts"
import { Options, RateLimit, Rule } from "./Settings.ts"

const flags = {
  port: Flag.Int("port").pipe(Flag.withDescription("0 takes a free one"), Flag.withDefault(0)),
  chatLatencyMs: Flag.Finite("chat-latency").pipe(
    Flag.withDescription("Median milliseconds of a chat answer (default 1500); 0 answers at once"),
    Flag.optional
  ),
  embeddingLatencyMs: Flag.Finite("embedding-latency").pipe(
    Flag.withDescription("Median milliseconds of embeddings (default 120)"),
    Flag.optional
  ),
  latencyShape: Flag.Literals("latency-shape", ["log-normal", "fixed"]).pipe(
    Flag.withDescription("How latencies spread around the median (default log-normal)"),
    Flag.optional
  ),
  timeScale: Flag.Finite("time-scale").pipe(
    Flag.withDescription("Latencies are multiplied with it"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(Flag.withDescription("Gives latencies and faults (default 1)"), Flag.optional),
  key: Flag.String("key").pipe(Flag.withDescription("The key that is asked for"), Flag.optional),
  requests: Flag.Int("requests-per-minute").pipe(
    Flag.withDescription("A limit for each model, told in x-ratelimit headers"),
    Flag.optional
  ),
  tokens: Flag.Int("tokens-per-minute").pipe(
    Flag.withDescription("As above; a chat call counts its prompt and the most its answer may have"),
    Flag.optional
  ),
  style: Flag.Literals("rate-limit-style", ["bucket", "sliding"]).pipe(Flag.withDefault("bucket")),
  rules: Flag.String("rules").pipe(
    Flag.withDescription('What goes wrong, as JSON: [{"fault":"503","probability":0.05}]'),
    Flag.withSchema(Schema.fromJsonString(Schema.Array(Rule))),
    Flag.optional
  ),
  settings: Flag.String("settings").pipe(
    Flag.withDescription("Any of the settings, as JSON; other flags win over it"),
    Flag.withSchema(Schema.fromJsonString(Options)),
    Flag.withDefault({})
  ),
  exitWithParent: Flag.Boolean("exit-with-parent").pipe(
    Flag.withDescription("End when standard input is closed"),
    Flag.withDefault(false)
  )
}

const standIn = Command.make(
  "fake-api",
  flags,
  Effect.fn(function* ({ exitWithParent, port, requests, rules, settings, style, tokens, ...given }) {
    if (exitWithParent) {
      process.stdin.on("close", () => process.exit(0))
      process.stdin.resume()
    }
    const limit: RateLimit = { style, ...Record.getSomes({ requests, tokens }) }
    const api = yield* start({
      chatLatencyMs: 1500,
      embeddingLatencyMs: 120,
      ...settings,
      ...withoutNone(given),
      ...(Option.isSome(rules) ? { rules: rules.value } : {}),
      ...(Option.isSome(requests) || Option.isSome(tokens) ? { rateLimit: limit } : {}),
      port
    })
    yield* Console.log(api.url)
    return yield* Effect.never
  }, Effect.scoped)
).pipe(Command.withDescription("An OpenAI-compatible server that answers by rules, and badly when told to"))

/** The options that are given, without the rest. */
function withoutNone(given: {
  readonly chatLatencyMs: Option.Option<number>
  readonly embeddingLatencyMs: Option.Option<number>
  readonly latencyShape: Option.Option<"log-normal" | "fixed">
  readonly timeScale: Option.Option<number>
  readonly seed: Option.Option<number>
  readonly key: Option.Option<string>
}): Options {
  const { key, latencyShape, ...numbers } = given
  return {
    ...Record.getSomes(numbers),
    ...(Option.isSome(key) ? { key: key.value } : {}),
    ...(Option.isSome(latencyShape) ? { latencyShape: latencyShape.value } : {})
  }
}

standIn.pipe(Command.run({ version: "1" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
