#!/usr/bin/env node
// Effect 4 needs Node 22.19 or newer. On an older one the command starts itself again on the Node that came along as a
// dependency, so that it works wherever npm does.
import { spawn } from "node:child_process"
import { createRequire } from "node:module"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const recentEnough = major > 22 || (major === 22 && minor >= 19)

if (recentEnough) {
  await import("../dist/cli/main.js")
} else {
  const require = createRequire(import.meta.url)
  const node = require.resolve("node/bin/node")
  const child = spawn(node, [new URL("../dist/cli/main.js", import.meta.url).pathname, ...process.argv.slice(2)], {
    stdio: "inherit"
  })
  // Ctrl-C reaches the child by itself, as part of the terminal's process group; it says how this ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT") child.kill(signal)
    })
  }
  child.on("exit", (code, signal) => {
    if (signal !== null) process.kill(process.pid, signal)
    else process.exit(code ?? 1)
  })
}
