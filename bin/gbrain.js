#!/usr/bin/env node
// Effect 4 needs Node 22.19 or newer. On an older one the command starts itself again on the Node that came along as a
// dependency, so that it works wherever npm does.
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

const main = new URL("../dist/cli/main.js", import.meta.url)
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const recentEnough = major > 22 || (major === 22 && minor >= 19)

const fail = (why) => {
  console.error(`gbrain: Node ${process.versions.node} is too old, and ${why}. Install Node 22.19 or newer.`)
  process.exit(1)
}

const bundledNode = () => {
  try {
    return createRequire(import.meta.url).resolve("node/bin/node")
  } catch {
    return fail('the newer one from the npm package "node" is not installed')
  }
}

if (recentEnough) {
  await import(main.href)
} else {
  const child = spawn(bundledNode(), [fileURLToPath(main), ...process.argv.slice(2)], { stdio: "inherit" })
  // Ctrl-C in a terminal reaches both processes; a second SIGINT does the child no harm, a missing one would leave it
  // running when only this process is told to stop.
  const forward = (signal) => child.kill(signal)
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
  for (const signal of signals) process.on(signal, forward)
  child.on("error", (error) => fail(`the newer one does not start: ${error.message}`))
  child.on("exit", (code, signal) => {
    for (const name of signals) process.off(name, forward)
    if (signal === null) process.exit(code ?? 1)
    // This process ends as the child did.
    process.kill(process.pid, signal)
  })
}
