/**
 * Writes of a transaction that do not need one another, in as few statements as they fit in. Each statement is a turn around the server,
 * in which a transaction holds its locks and does nothing; a busy program lets it wait for longer than it works.
 */
import { Array as Arr, Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"

/** A statement that writes, by a name under which later steps of its write can read what it returns. */
export interface Step {
  readonly name: string
  readonly statement: Statement.Fragment
}

/** A write, of one step or of several; `rows` is how many it is given. */
export interface Write {
  readonly rows: number
  readonly steps: ReadonlyArray<Step>
}

/** Rows given to a statement, unless one write has more. */
const rowsAtOnce = 5000

/** Writes of rows, each of as many as go into a statement; none where there are none. */
export const writesOf = <Row>(
  rows: ReadonlyArray<Row>,
  steps: (some: ReadonlyArray<Row>) => ReadonlyArray<Step>
): ReadonlyArray<Write> =>
  Arr.chunksOf(rows, rowsAtOnce).map((some) => ({ rows: some.length, steps: steps(some) }))

/**
 * Runs writes within a transaction. All that go into one statement see the rows as they were before it, and are done in no order
 * that one could rely on: none may concern the rows of another, nor add one with the key of a row that another removes. Those whose steps
 * share a name go one after the other.
 */
export const writeTogether = (sql: SqlClient.SqlClient, writes: ReadonlyArray<Write>) =>
  Effect.forEach(
    packed(writes),
    (steps) => {
      const named = steps.map(({ name, statement }) => sql`${sql.literal(name)} as (${statement})`)
      return sql`with ${sql.join(", ", false)(named)} select`
    },
    { discard: true }
  )

const packed = (writes: ReadonlyArray<Write>): ReadonlyArray<ReadonlyArray<Step>> => {
  const statements: Array<Array<Step>> = []
  let open: Array<Step> = []
  let rows = 0
  for (const write of writes) {
    const isThere = write.steps.some(({ name }) => open.some((step) => step.name === name))
    if (open.length === 0 || isThere || rows + write.rows > rowsAtOnce) {
      open = []
      rows = 0
      statements.push(open)
    }
    open.push(...write.steps)
    rows += write.rows
  }
  return statements
}
