/** Resolves the edges of a group of chunks: a few statements for all of them. */
import { Effect } from "effect"
import { slugOfCode } from "../../domain/links/CodePaths.ts"
import { moduleInside, pathsOfModule } from "../../domain/symbols/Modules.ts"
import { formsOf, targetName } from "../../domain/symbols/Names.ts"
import { type CodeSymbol, type Resolution, resolveEdge } from "../../domain/symbols/Resolve.ts"
import { type EdgeChunk, type EdgeRow, CodeEdges, type SymbolRow } from "../../services/CodeEdges.ts"
import { distinct, keyed } from "../extract/resolve.ts"

/** An edge and where it leads. */
export interface ResolvedEdge {
  readonly chunkId: number
  readonly id: number
  readonly resolution: Resolution
  /** Whether that is not what is stored. */
  readonly isNews: boolean
}

/** Finds where the edges of chunks lead. */
export const resolveChunks = Effect.fn("resolveChunks")(function* (chunks: ReadonlyArray<EdgeChunk>) {
  const store = yield* CodeEdges
  const edges = yield* store.edgesOf(chunks.map((chunk) => chunk.id))
  if (edges.length === 0) return []
  const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]))
  const active = onePerPage(edges.flatMap((edge) => byId.get(edge.from_chunk_id) ?? []))
  const pageIds = active.map((chunk) => chunk.page_id)
  const sources = distinct(active.map((chunk) => chunk.source_id))

  const imports = keyed(yield* store.importsOf(pageIds), (row) => String(row.page_id))
  const own = keyed(yield* store.symbolsOf(pageIds), (row) => String(row.page_id))
  const modules = yield* modulesOf(active, imports, edges, byId)
  const names = distinct(edges.flatMap((edge) => formsOf(targetName(edge.to))))
  const called = keyed(yield* store.called(sources, names), (row) => `${row.source_id}\n${row.qualified}`)

  return edges.flatMap((edge): ReadonlyArray<ResolvedEdge> => {
    const chunk = byId.get(edge.from_chunk_id)
    if (chunk === undefined) return []
    const resolution = resolveEdge(
      { from: edge.from, to: edge.to, language: chunk.language },
      {
        own: own.get(String(chunk.page_id)) ?? [],
        imports: (imports.get(String(chunk.page_id)) ?? []).map((row) => row.to),
        ofModule: (module) => modules(chunk, module),
        called: (name) =>
          formsOf(targetName(name)).flatMap((form) => called.get(`${chunk.source_id}\n${form}`) ?? [])
      }
    )
    return [{ chunkId: chunk.id, id: edge.id, resolution, isNews: isNews(edge, resolution) }]
  })
})

/** The symbols of the files that modules are. */
const modulesOf = Effect.fnUntraced(function* (
  pages: ReadonlyArray<EdgeChunk>,
  imports: ReadonlyMap<string, ReadonlyArray<{ readonly to: string }>>,
  edges: ReadonlyArray<EdgeRow>,
  byId: ReadonlyMap<number, EdgeChunk>
) {
  const store = yield* CodeEdges
  const named = new Map<string, { readonly chunk: EdgeChunk; readonly module: string }>()
  const add = (chunk: EdgeChunk | undefined, to: string) => {
    const { name, owner } = targetName(to)
    if (chunk === undefined || owner === undefined) return
    for (const module of [owner, moduleInside(owner, name, chunk.language)]) {
      if (module !== undefined) named.set(moduleKey(chunk, module), { chunk, module })
    }
  }
  for (const page of pages) for (const row of imports.get(String(page.page_id)) ?? []) add(page, row.to)
  for (const edge of edges) add(byId.get(edge.from_chunk_id), edge.to)

  const candidates = [...named].map(([key, { chunk, module }]) => ({
    key,
    source: chunk.source_id,
    pageId: chunk.page_id,
    slugs: distinct(pathsOfModule(module, chunk).map(slugOfCode))
  }))
  const found = yield* store.pagesBySlug(
    distinct(candidates.map((it) => it.source)),
    distinct(candidates.flatMap((it) => it.slugs))
  )
  const pageOf = new Map(found.map((row) => [`${row.source_id}\n${row.slug}`, row.id]))
  const files = new Map<string, number>()
  for (const { key, pageId, slugs, source } of candidates) {
    const file = slugs.map((slug) => pageOf.get(`${source}\n${slug}`)).find((id) => id !== undefined)
    if (file !== undefined && file !== pageId) files.set(key, file)
  }
  const symbols = keyed(yield* store.symbolsOf([...new Set(files.values())]), (row) => String(row.page_id))
  return (chunk: EdgeChunk, module: string): ReadonlyArray<CodeSymbol> | undefined => {
    const file = files.get(moduleKey(chunk, module))
    return file === undefined
      ? undefined
      : (symbols.get(String(file)) ?? ([] satisfies ReadonlyArray<SymbolRow>))
  }
})

const moduleKey = (chunk: EdgeChunk, module: string): string => `${chunk.page_id}\n${module}`

const onePerPage = (chunks: ReadonlyArray<EdgeChunk>): ReadonlyArray<EdgeChunk> => [
  ...new Map(chunks.map((chunk) => [chunk.page_id, chunk])).values()
]

const isNews = (edge: EdgeRow, resolution: Resolution): boolean => {
  switch (resolution.kind) {
    case "resolved":
      return edge.resolved !== resolution.chunkId || edge.ambiguous !== null
    case "ambiguous":
      return edge.resolved !== null || edge.ambiguous?.join() !== resolution.chunkIds.join()
    case "unmatched":
      return edge.resolved !== null || edge.ambiguous !== null
  }
}
