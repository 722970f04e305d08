/** Pages that are worked on together: enough that statements are few, and no more text than fits in memory many times. */

/** Pages in a group, and the most text of a group: a page alone may have more. */
const groupPages = 200
const groupBytes = 8 * 1024 * 1024

/** Rows in groups, in their order. `bytes` is how much text a page has. */
export const groupsOf = <Row extends { readonly bytes: number }>(
  rows: ReadonlyArray<Row>
): ReadonlyArray<ReadonlyArray<Row>> => {
  const groups: Array<Array<Row>> = []
  let open: Array<Row> = []
  let bytes = 0
  for (const row of rows) {
    if (open.length === 0 || open.length === groupPages || bytes + row.bytes > groupBytes) {
      open = []
      bytes = 0
      groups.push(open)
    }
    open.push(row)
    bytes += row.bytes
  }
  return groups
}
