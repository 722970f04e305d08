/** Before all tests: a Postgres server for those that need one. */
import type { TestProject } from "vitest/node"
import { startServer } from "./postgres/server.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Address of a server that databases can be made on; empty when there is none. */
    readonly postgresUrl: string
    /** Why there is none. */
    readonly noPostgres: string
  }
}

export default async function setup(project: TestProject) {
  const say = (text: string) => process.stderr.write(`[postgres] ${text}\n`)
  const server = await startServer(say)
  if ("reason" in server) {
    const banner = "!".repeat(72)
    say(
      `\n${banner}\nNO POSTGRES SERVER: the tests on Postgres DO NOT RUN.\n${server.reason}\nSet TEST_DATABASE_URL to a server with pgvector to run them.\n${banner}`
    )
    if (process.env["CI"] === "true") throw new Error("under CI=true the tests on Postgres must run")
    project.provide("postgresUrl", "")
    project.provide("noPostgres", server.reason)
    return undefined
  }
  project.provide("postgresUrl", server.url)
  project.provide("noPostgres", "")
  return server.stop
}
