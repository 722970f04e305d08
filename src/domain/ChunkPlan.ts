/**
 * How the chunks that a page has become those it should have, with as little as possible written: a chunk whose text is wanted
 * keeps its row, and with it its id and its embedding, wherever it stands now.
 */
import type { PageChunk } from "./Chunks.ts"

/** A chunk that a page has. */
export interface StoredChunk {
  readonly id: number
  readonly index: number
  readonly text: string
  /** One of `PageChunk`'s, or something that only gbrain makes, such as `image_asset`. */
  readonly source: string
}

/** What is to be written. */
export interface ChunkPlan {
  /** Chunks that stay as they are. */
  readonly kept: number
  /** Chunks that stay, at another place or in another part of the page. */
  readonly moved: ReadonlyArray<Omit<StoredChunk, "text">>
  readonly added: ReadonlyArray<PageChunk & { readonly index: number }>
  /** Ids of chunks that nobody wants. */
  readonly removed: ReadonlyArray<number>
}

/** Whether anything is to be written. */
export const hasChanges = (plan: ChunkPlan): boolean =>
  plan.moved.length + plan.added.length + plan.removed.length > 0

/** Works out what is to be written so that a page has the chunks `wanted`, after which come those that are somebody else's. */
export const planChunks = (
  stored: ReadonlyArray<StoredChunk>,
  wanted: ReadonlyArray<PageChunk>
): ChunkPlan => {
  const inOrder = stored.toSorted((a, b) => a.index - b.index)
  const ours = inOrder.filter((chunk) => isOurs(chunk))
  const taken = matched(ours, wanted)
  const used = new Set(taken.map((chunk) => chunk?.id))
  const placed = wanted.map((chunk, index) => ({ chunk, index, old: taken[index] }))
  const others = inOrder.filter((chunk) => !isOurs(chunk))
  const after = [
    ...placed.flatMap(({ chunk, index, old }) =>
      old === undefined ? [] : [{ old, index, source: chunk.source }]
    ),
    ...others.map((old, place) => ({ old, index: wanted.length + place, source: old.source }))
  ]
  const staying = new Set([...used, ...others.map((chunk) => chunk.id)])
  const moved = after.filter(({ index, old, source }) => old.index !== index || old.source !== source)
  return {
    kept: after.length - moved.length,
    moved: moved.map(({ index, old, source }) => ({ id: old.id, index, source })),
    added: placed.flatMap(({ chunk, index, old }) => (old === undefined ? [{ ...chunk, index }] : [])),
    removed: inOrder.filter((chunk) => !staying.has(chunk.id)).map((chunk) => chunk.id)
  }
}

const sources: ReadonlySet<string> = new Set<PageChunk["source"]>([
  "compiled_truth",
  "timeline",
  "fenced_code"
])

const isOurs = ({ source }: StoredChunk): boolean => sources.has(source)

/** For each wanted chunk the stored one with its text: from the same part of the page if there is one, else from another. */
const matched = (stored: ReadonlyArray<StoredChunk>, wanted: ReadonlyArray<PageChunk>) => {
  const found = wanted.map((): StoredChunk | undefined => undefined)
  const used = new Set<number>()
  for (const key of [samePart, anyPart]) {
    const free = new Map<string, Array<StoredChunk>>()
    for (const chunk of stored) {
      if (used.has(chunk.id)) continue
      const alike = free.get(key(chunk))
      if (alike === undefined) free.set(key(chunk), [chunk])
      else alike.push(chunk)
    }
    for (const alike of free.values()) alike.reverse()
    for (const [index, chunk] of wanted.entries()) {
      if (found[index] !== undefined) continue
      const old = free.get(key(chunk))?.pop()
      if (old === undefined) continue
      found[index] = old
      used.add(old.id)
    }
  }
  return found
}

type Keyed = { readonly text: string; readonly source: string }

const samePart = ({ source, text }: Keyed): string => `${source}\n${text}`

const anyPart = ({ text }: Keyed): string => text
