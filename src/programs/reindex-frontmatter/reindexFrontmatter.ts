/**
 * `reindex-frontmatter`: the columns that are derived from front matter are made anew, which is the date of a page and where it is
 * from. Only rows that differ are written, so that a second run writes nothing and a run that was stopped is simply run again.
 */
import { Clock, DateTime, Effect, Option } from "effect"
import { effectiveDateOf, furthestAhead } from "../../domain/EffectiveDate.ts"
import { type DateChange, type DatedRow, PageDates } from "../../services/PageDates.ts"
import { Sources } from "../../services/Sources.ts"
import { endingOf } from "../sweep/ending.ts"
import { sweep } from "../sweep/sweep.ts"
import type { FrontmatterReport } from "./report.ts"

/** What is made anew. */
export interface FrontmatterOptions {
  /** One source; all that are not archived unless told. */
  readonly sourceId: Option.Option<string>
  /** Only slugs that begin so. */
  readonly slugPrefix: Option.Option<string>
  readonly dryRun: boolean
}

/** How often a page that is edited meanwhile is taken again. */
const rounds = 3

/** Changes that are shown. */
const samplesKept = 20

/** Makes the dates of pages anew. `onInterrupt` gets the report of a run that is interrupted. */
export const reindexFrontmatter = Effect.fn("reindexFrontmatter")(function* (
  options: FrontmatterOptions,
  onInterrupt: (report: FrontmatterReport) => Effect.Effect<void> = () => Effect.void
) {
  const dates = yield* PageDates
  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  const scope = { sourceIds, slugPrefix: options.slugPrefix }
  const total = yield* dates.count(scope)
  const now = yield* Clock.currentTimeMillis
  const tally = { examined: 0, updated: 0, without: 0, edited: 0 }
  const samples: Array<FrontmatterReport["changes"][number]> = []

  const written = (rows: ReadonlyArray<DatedRow>, changes: ReadonlyArray<DateChange>) => {
    tally.updated += changes.length
    tally.without += changes.filter((change) => change.source === "fallback").length
    if (samples.length >= samplesKept) return
    const byId = new Map(rows.map((row) => [row.id, row]))
    for (const change of changes.slice(0, samplesKept - samples.length)) {
      const row = byId.get(change.id)
      samples.push({
        slug: row?.slug ?? "",
        from: row === undefined || row.storedAt === null ? null : isoOf(row.storedAt),
        to: isoOf(change.millis),
        source: change.source
      })
    }
  }

  const work = Effect.fnUntraced(function* (group: ReadonlyArray<DatedRow>) {
    let rows = group
    for (let round = 1; ; round++) {
      const changes = changesIn(rows, now)
      const stored = options.dryRun
        ? new Set(changes.map((change) => change.id))
        : yield* dates.store(changes)
      written(
        rows,
        changes.filter((change) => stored.has(change.id))
      )
      const edited = changes.filter((change) => !stored.has(change.id)).map((change) => change.id)
      tally.examined += rows.length - edited.length
      if (edited.length === 0 || round === rounds) {
        tally.edited += edited.length
        return { done: group.length - edited.length, skipped: edited.length }
      }
      rows = yield* dates.load(edited)
    }
  })

  return yield* sweep({
    command: "reindex-frontmatter",
    unit: "pages",
    total,
    dryRun: options.dryRun,
    groups: dates.groups(scope),
    label: (row) => row.slug,
    work,
    onInterrupt,
    report: (ending): FrontmatterReport => ({
      command: "reindex-frontmatter",
      ...endingOf(ending, { dryRun: options.dryRun, sources: sourceIds, done: tally.examined }),
      slug_prefix: Option.getOrNull(options.slugPrefix),
      pages_considered: total,
      pages_examined: tally.examined,
      pages_updated: tally.updated,
      pages_without_date: tally.without,
      pages_edited: tally.edited,
      changes: samples
    })
  })
})

const changesIn = (rows: ReadonlyArray<DatedRow>, now: number): ReadonlyArray<DateChange> =>
  rows.flatMap((row) => {
    const stated = effectiveDateOf({ ...row, name: row.filename }, now + furthestAhead)
    const millis = stated === undefined ? row.updatedAt : Date.parse(stated.date)
    const source = stated?.source ?? "fallback"
    return millis === row.storedAt && source === row.storedSource
      ? []
      : [{ id: row.id, version: row.version, millis, source }]
  })

const isoOf = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))
