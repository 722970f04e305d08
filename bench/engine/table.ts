/** A table on standard output, in columns. */
export const row = (...cells: ReadonlyArray<string | number>): void => {
  const [first = "", ...others] = cells.map(String)
  process.stdout.write(`${first.padEnd(18)}${others.map((cell) => cell.padStart(14)).join("")}\n`)
}

/** A heading above one. */
export const heading = (text: string): void => {
  process.stdout.write(`\n${text}\n`)
}
