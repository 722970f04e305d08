/** A TCP path to a server that can be cut and stopped, as networks are. */
import { createServer, connect, type Socket } from "node:net"

/** A path. */
export interface TcpProxy {
  readonly port: number
  /** Breaks all connections and takes no new ones, until `mend`. */
  readonly cut: () => void
  /** Passes nothing on, in either direction, without breaking anything, until `mend`. */
  readonly stall: () => void
  readonly mend: () => void
  readonly close: () => Promise<void>
}

/** Opens a path to a server on this machine. */
export const startTcpProxy = (host: string, port: number): Promise<TcpProxy> => {
  const sockets = new Set<Socket>()
  let state: "open" | "cut" | "stalled" = "open"
  const join = (from: Socket, to: Socket) => {
    sockets.add(from)
    from.on("data", (chunk: Buffer) => {
      if (!to.write(chunk)) from.pause()
    })
    to.on("drain", () => {
      if (state !== "stalled") from.resume()
    })
    from.on("error", () => to.destroy())
    from.on("close", () => {
      sockets.delete(from)
      to.destroy()
    })
    from.on("end", () => to.end())
    if (state === "stalled") from.pause()
  }
  const server = createServer((client) => {
    if (state === "cut") {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(port, host)
    join(client, upstream)
    join(upstream, client)
  })
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        cut: () => {
          state = "cut"
          for (const socket of sockets) socket.destroy()
        },
        stall: () => {
          state = "stalled"
          for (const socket of sockets) socket.pause()
        },
        mend: () => {
          state = "open"
          for (const socket of sockets) socket.resume()
        },
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            for (const socket of sockets) socket.destroy()
          })
      })
    })
  })
}
