/** Many texts in a row, with turns for others between them: meanwhile no answer of the database is heard and no progress shown. */
import { Effect } from "effect"

/** Characters that are read in a few milliseconds. */
const charactersAtOnce = 20_000

/** What `read` finds in each of the texts. A text is read in one piece, however long it is. */
export const readInTurns = Effect.fnUntraced(function* <A extends { readonly text: string }, B>(
  pages: ReadonlyArray<A>,
  read: (page: A) => ReadonlyArray<B>
) {
  const found: Array<B> = []
  let characters = 0
  for (const page of pages) {
    for (const one of read(page)) found.push(one)
    characters += page.text.length
    if (characters < charactersAtOnce) continue
    characters = 0
    yield* Effect.yieldNow
  }
  return found
})
