/**
 * `edges-backfill`: names that code calls, imports and extends become the symbols they mean: of the same file, of files that are
 * imported, of the source. Chunks of one source are worked on by N workers. A chunk that is done is marked, so that a run that was stopped
 * goes on where it was; when a symbol comes or goes, the chunks that lead to it are looked at again. See decision 013.
 */
import { Effect, Option } from "effect"
import { CodeEdges, type EdgeChunk } from "../../services/CodeEdges.ts"
import { Sources } from "../../services/Sources.ts"
import { endingOf } from "../sweep/ending.ts"
import { sweep } from "../sweep/sweep.ts"
import type { EdgesReport } from "./report.ts"
import { type ResolvedEdge, resolveChunks } from "./resolveChunks.ts"

/** What is resolved. */
export interface EdgesOptions {
  /** One source; all that are not archived unless told. */
  readonly sourceId: Option.Option<string>
  /** The most chunks that are looked at. */
  readonly maxChunks: Option.Option<number>
  readonly dryRun: boolean
}

/** How often chunks are taken again whose file is edited meanwhile. */
const rounds = 3

/** Resolves edges. `onInterrupt` gets the report of a run that is interrupted. */
export const edgesBackfill = Effect.fn("edgesBackfill")(function* (
  options: EdgesOptions,
  onInterrupt: (report: EdgesReport) => Effect.Effect<void> = () => Effect.void
) {
  const store = yield* CodeEdges
  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  const foreseen = options.dryRun ? yield* store.wouldWake(sourceIds) : []
  const woken = options.dryRun ? foreseen.length : yield* store.wake(sourceIds)
  const scope = { sourceIds, woken: foreseen }
  const due = yield* store.count(scope)
  const tally = { walked: 0, edited: 0, examined: 0, resolved: 0, ambiguous: 0, unmatched: 0, changed: 0 }

  const count = ({ isNews, resolution }: ResolvedEdge) => {
    tally.examined++
    tally[resolution.kind]++
    if (isNews) tally.changed++
  }

  const work = Effect.fnUntraced(function* (group: ReadonlyArray<EdgeChunk>) {
    let chunks = group
    for (let round = 1; ; round++) {
      const edges = yield* resolveChunks(chunks)
      const unchanged = options.dryRun
        ? new Set(chunks.map((chunk) => chunk.id))
        : yield* store.commit(
            chunks,
            edges.filter((edge) => edge.isNews)
          )
      edges.filter((edge) => unchanged.has(edge.chunkId)).forEach(count)
      tally.walked += unchanged.size
      const edited = chunks.filter((chunk) => !unchanged.has(chunk.id)).map((chunk) => chunk.id)
      if (edited.length === 0 || round === rounds) {
        tally.edited += edited.length
        return { done: group.length - edited.length, skipped: edited.length }
      }
      chunks = yield* store.load(edited)
    }
  })

  const toDo = Math.min(
    due,
    Option.getOrElse(options.maxChunks, () => due)
  )
  return yield* sweep({
    command: "edges-backfill",
    unit: "chunks",
    total: toDo,
    dryRun: options.dryRun,
    groups: store.groups(scope, options.maxChunks),
    label: (chunk) => `${chunk.path} (chunk ${chunk.id})`,
    work,
    onInterrupt,
    report: (ending): EdgesReport => ({
      command: "edges-backfill",
      ...endingOf(ending, { dryRun: options.dryRun, sources: sourceIds, done: tally.walked }),
      chunks_to_do: due,
      chunks_walked: tally.walked,
      chunks_woken: woken,
      chunks_left: Math.max(0, due - tally.walked - tally.edited - ending.failed),
      chunks_edited: tally.edited,
      edges_examined: tally.examined,
      edges_resolved: tally.resolved,
      edges_ambiguous: tally.ambiguous,
      edges_unmatched: tally.unmatched,
      edges_changed: tally.changed
    })
  })
})
