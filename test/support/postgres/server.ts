/**
 * A Postgres server for the tests: the one that TEST_DATABASE_URL names, else one of our own from Debian's packages, else one
 * in a container. Stopped and wiped at the end, also when whoever started it dies.
 */
import { execFile, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { installPostgres, postgresUser, whyNotInstallable } from "./install.ts"

const run = promisify(execFile)

/** A server for tests. */
export interface TestServer {
  /** An address with the right to make databases. */
  readonly url: string
  readonly stop: () => Promise<void>
}

/** No server can be had, and why. */
export interface NoServer {
  readonly reason: string
}

/** Finds or starts a server. */
export const startServer = async (say: (text: string) => void): Promise<TestServer | NoServer> => {
  const given = process.env["TEST_DATABASE_URL"]
  if (given !== undefined && given !== "") return { url: given, stop: () => Promise.resolve() }
  const reasons: Array<string> = []
  const why = await whyNotInstallable()
  if (why === undefined) {
    try {
      return await startInRoot(await installPostgres(say))
    } catch (error) {
      reasons.push(`Debian's packages: ${messageOf(error)}`)
    }
  } else reasons.push(`Debian's packages: ${why}`)
  try {
    return await startContainer()
  } catch (error) {
    reasons.push(`Docker: ${messageOf(error)}`)
  }
  return { reason: reasons.join("; ") }
}

const messageOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return text.split("\n").slice(0, 3).join(" ")
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })

/** Nothing of the outside reaches the server but where to find programs. */
const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C.UTF-8"
}

const binaries = "/usr/lib/postgresql/17/bin"

const startInRoot = async (root: string): Promise<TestServer> => {
  const home = await mkdtemp(join(root, "data", "run-"))
  const inside = home.slice(root.length)
  const password = randomBytes(12).toString("hex")
  await writeFile(join(home, "password"), password)
  await run("chown", ["-R", `${postgresUser}:${postgresUser}`, home])
  const chroot = (command: string, args: ReadonlyArray<string>) => [
    `--userspec=${postgresUser}:${postgresUser}`,
    root,
    `${binaries}/${command}`,
    ...args
  ]
  await run(
    "chroot",
    chroot("initdb", [
      "-D",
      `${inside}/pgdata`,
      "-U",
      "postgres",
      "-A",
      "scram-sha-256",
      `--pwfile=${inside}/password`,
      "-E",
      "UTF8",
      "--locale=C.UTF-8"
    ]),
    { env: environment }
  )
  const port = await freePort()
  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    `unix_socket_directories=${inside}`,
    "max_connections=200",
    "dynamic_shared_memory_type=mmap",
    "shared_buffers=256MB",
    // Survives kill -9 of clients, which is what is tested; a power cut is not.
    "fsync=off",
    "full_page_writes=off",
    "logging_collector=off"
  ].flatMap((setting) => ["-c", setting])
  // The shell outlives this process by a moment if this process dies: its end of the pipe closes, and it stops the server.
  const watch =
    'chroot "$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$HOME_TO_REMOVE"'
  const child = spawn(
    "setsid",
    ["bash", "-c", watch, "bash", ...chroot("postgres", ["-D", `${inside}/pgdata`, ...settings])],
    {
      stdio: ["pipe", "ignore", "pipe"],
      env: { ...environment, HOME_TO_REMOVE: home }
    }
  )
  let log = ""
  child.stderr.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000)
  })
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  await new Promise<void>((resolve, reject) => {
    const ready = () => {
      if (log.includes("ready to accept connections")) resolve()
    }
    child.stderr.on("data", ready)
    child.once("exit", () => reject(new Error(`the server did not start: ${log}`)))
  })
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      child.stdin.end()
      await ended
      await rm(home, { recursive: true, force: true })
    }
  }
}

const image = "pgvector/pgvector:pg17"

const startContainer = async (): Promise<TestServer> => {
  const password = randomBytes(12).toString("hex")
  const port = await freePort()
  const { stdout } = await run("docker", [
    "run",
    "--detach",
    "--rm",
    "--publish",
    `127.0.0.1:${port}:5432`,
    "--env",
    `POSTGRES_PASSWORD=${password}`,
    image
  ])
  const container = stdout.trim()
  const stop = async () => {
    await run("docker", ["rm", "--force", container])
  }
  // The image starts the server twice; only the second time does it listen on TCP.
  for (let attempt = 0; attempt < 60; attempt++) {
    const ready = await run("docker", [
      "exec",
      container,
      "pg_isready",
      "-h",
      "127.0.0.1",
      "-U",
      "postgres"
    ]).then(
      () => true,
      () => false
    )
    if (ready) return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop }
    await sleep(500)
  }
  await stop()
  throw new Error("the container did not become ready")
}
