/** Which rows a page's chunks are to be in: a chunk that is there already keeps its row, and with it its embedding, wherever it moved. */

/** A row that is there. */
export interface ChunkRow {
  readonly id: number
  readonly index: number
  readonly text: string
}

/** What to do with the rows of a page. */
export interface ChunkPlacing {
  /** Rows that stay, with the position of their chunk among those wanted. */
  readonly kept: ReadonlyArray<{ readonly id: number; readonly index: number; readonly moved: boolean }>
  /** Positions of chunks that have no row yet. */
  readonly added: ReadonlyArray<number>
  /** Rows that go. */
  readonly removed: ReadonlyArray<number>
}

/** A chunk's text without the line above it that says what it is. The original's lines have numbers in them, which change with every edit. */
export const codeOfChunk = (text: string): string => text.replace(/^\[[^\]]{1,40}\] [^\n]{0,4000}\n\n/, "")

/** Plans the rows. Of several chunks with one text, the first gets the first row. */
export const placeChunks = (rows: ReadonlyArray<ChunkRow>, wanted: ReadonlyArray<string>): ChunkPlacing => {
  const byCode = new Map<string, Array<ChunkRow>>()
  for (const row of rows.toSorted((a, b) => b.index - a.index)) {
    const code = codeOfChunk(row.text)
    const alike = byCode.get(code)
    if (alike === undefined) byCode.set(code, [row])
    else alike.push(row)
  }
  const kept: Array<ChunkPlacing["kept"][number]> = []
  const added: Array<number> = []
  for (const [index, text] of wanted.entries()) {
    const row = byCode.get(codeOfChunk(text))?.pop()
    if (row === undefined) added.push(index)
    else kept.push({ id: row.id, index, moved: row.index !== index })
  }
  return { kept, added, removed: [...byCode.values()].flatMap((left) => left.map((row) => row.id)) }
}
