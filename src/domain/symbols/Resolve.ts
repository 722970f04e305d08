/**
 * Which symbol an edge leads to: one in the same file, else one of a file that is imported, else one of the source. Where several have
 * the name, all are told and none is chosen. A name that the file imports from elsewhere is never taken for one that happens to
 * be called the same.
 */
import { moduleInside } from "./Modules.ts"
import {
  callsOwnMethods,
  familyOf,
  importsByName,
  lastPartOf,
  outerOf,
  plainName,
  targetName
} from "./Names.ts"

/** A symbol, by the chunk it is in. */
export interface CodeSymbol {
  readonly chunkId: number
  readonly qualified: string
  readonly language: string | null
}

/** An edge that is to be resolved. */
export interface OpenEdge {
  /** The symbol it is from. */
  readonly from: string
  readonly to: string
  readonly language: string | null
}

/** What is known around an edge. */
export interface Surroundings {
  /** Symbols of the same file. */
  readonly own: ReadonlyArray<CodeSymbol>
  /** What the file imports, as `module::name`. */
  readonly imports: ReadonlyArray<string>
  /** Symbols of a module that the file names; nothing when no file of the source is that module. */
  readonly ofModule: (module: string) => ReadonlyArray<CodeSymbol> | undefined
  /** Symbols of the source with one of the names under which chunks may write a name. */
  readonly called: (name: string) => ReadonlyArray<CodeSymbol>
}

/** Where an edge leads. */
export type Resolution =
  | { readonly kind: "resolved"; readonly chunkId: number }
  | { readonly kind: "ambiguous"; readonly chunkIds: ReadonlyArray<number> }
  | { readonly kind: "unmatched" }

const unmatched: Resolution = { kind: "unmatched" }

/** Candidates that are told of a name that many have. */
export const mostCandidates = 50

/** Resolves an edge. */
export const resolveEdge = (edge: OpenEdge, around: Surroundings): Resolution => {
  const { name, owner } = targetName(edge.to)
  if (name === "*" || name === "") return unmatched

  const here = around.own.filter((symbol) => plainName(symbol.qualified) === plainName(edge.to))
  if (here.length > 0) return among(here)
  if (owner === undefined && callsOwnMethods(edge.language)) {
    const method = `${outerOf(edge.from)}.${name}`
    const mine = around.own.filter((symbol) => plainName(symbol.qualified) === method)
    if (mine.length > 0) return among(mine)
  }

  const imports = around.imports.map(targetName)
  const fileInside = (module: string, inner: string) => {
    const inside = moduleInside(module, inner, edge.language)
    return inside === undefined ? undefined : around.ofModule(inside)
  }

  if (owner !== undefined) {
    const module = around.ofModule(owner)
    const ofOwner = imports.filter((it) => it.owner === owner)
    const found = [
      ...inModule(module ?? [], name),
      ...[...new Set([name, ...ofOwner.map((it) => it.name)])].flatMap((inner) =>
        inModule(fileInside(owner, inner) ?? [], name)
      )
    ]
    if (found.length > 0) return among(found)
    // A module that is no file of the source is somebody else's.
    if (module !== undefined || ofOwner.length > 0) return unmatched
  }

  const asked = owner ?? name
  const wanted = owner === undefined ? name : `${plainName(owner)}.${name}`
  const calledSo = (symbols: ReadonlyArray<CodeSymbol>) =>
    symbols.filter((symbol) => plainName(symbol.qualified) === wanted)
  const modules = imports.filter((it) => it.name === asked)
  if (modules.length > 0) {
    return among(
      modules.flatMap((it) =>
        calledSo(around.ofModule(it.owner ?? "") ?? fileInside(it.owner ?? "", it.name) ?? [])
      )
    )
  }
  // What a file exports by default is mostly called there as it is called here.
  const byDefault = imports
    .filter((it) => it.name === "default")
    .flatMap((it) => calledSo(around.ofModule(it.owner ?? "") ?? []))
  if (byDefault.length > 0) return among(byDefault)
  // Whoever must import by name, and imports by name, has not imported this one.
  if (owner === undefined && importsByName(edge.language) && around.imports.length > 0) return unmatched

  const family = familyOf(edge.language)
  return among(
    around
      .called(edge.to)
      .filter(
        (symbol) => familyOf(symbol.language) === family && plainName(symbol.qualified) === plainName(edge.to)
      )
  )
}

/** A symbol of a module: one of the name, else a member of that name of something in it. */
const inModule = (module: ReadonlyArray<CodeSymbol>, name: string): ReadonlyArray<CodeSymbol> => {
  const exact = module.filter((symbol) => plainName(symbol.qualified) === name)
  return exact.length > 0 ? exact : module.filter((symbol) => lastPartOf(symbol.qualified) === name)
}

const among = (symbols: ReadonlyArray<CodeSymbol>): Resolution => {
  const ids = [...new Set(symbols.map((symbol) => symbol.chunkId))].sort((a, b) => a - b)
  const [only, ...others] = ids
  if (only === undefined) return unmatched
  return others.length === 0
    ? { kind: "resolved", chunkId: only }
    : { kind: "ambiguous", chunkIds: ids.slice(0, mostCandidates) }
}
