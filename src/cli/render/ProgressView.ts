/**
 * Draws progress on standard error: one line that is redrawn on a terminal, a plain line now and then elsewhere, or lines
 * of JSON. It looks at the progress; the work never waits for it.
 */
import { createLogUpdate } from "log-update"
import { Duration, Effect, Schedule } from "effect"
import { Progress } from "../../services/Progress.ts"
import { progressJson, renderProgress } from "./progress.ts"

/** How progress is shown. */
export type ProgressStyle = "terminal" | "lines" | "json" | "none"

const everyRedraw = Duration.millis(100)
const everyLine = Duration.seconds(10)
const everyEvent = Duration.seconds(1)

/** Shows progress for the life of the scope; a terminal's line is left standing at the end. */
export const showProgress = Effect.fn("showProgress")(function* (style: ProgressStyle) {
  if (style === "none") return
  const progress = yield* Progress
  const draw = style === "terminal" ? createLogUpdate(process.stderr, { showCursor: true }) : undefined

  const once = Effect.map(progress.snapshot, (snapshot) => {
    // Nothing has begun: what ends now was not worth a line.
    if (snapshot.command === "") return
    if (draw !== undefined) draw(renderProgress(snapshot, (process.stderr.columns ?? 80) - 1))
    else if (style === "json") process.stderr.write(`${progressJson(snapshot)}\n`)
    else process.stderr.write(`${renderProgress(snapshot, 200)}\n`)
  })

  yield* Effect.addFinalizer(() =>
    Effect.map(Effect.ignore(once), () => {
      draw?.done()
    })
  )
  const interval = draw !== undefined ? everyRedraw : style === "json" ? everyEvent : everyLine
  yield* once.pipe(Effect.delay(interval), Effect.repeat(Schedule.spaced(interval)), Effect.forkScoped)
})

/** How to show progress, from what was asked and where standard error goes. */
export const progressStyle = (options: {
  readonly progressJson: boolean
  readonly quiet?: boolean
}): ProgressStyle => {
  if (options.quiet === true) return "none"
  if (options.progressJson) return "json"
  return process.stderr.isTTY && process.env["TERM"] !== "dumb" ? "terminal" : "lines"
}
