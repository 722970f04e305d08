/**
 * Pages by what they are called. A page's name is no part of its chunks: the page of Hana Sato may never say who it is
 * about. So a question that names a page finds it by its title, an alias, or the last part of its slug.
 */
import { fold } from "./Spelling.ts"

/** A page, with all that it is called. */
export interface CalledPage {
  readonly title: string
  readonly slug: string
  readonly aliases: ReadonlyArray<string>
}

/** Words of a name, folded. */
export const nameWords = (name: string): ReadonlyArray<string> => fold(name).match(/[\p{L}\p{N}]+/gu) ?? []

/** The longest name that is looked for as a whole, in words. */
const longestName = 6

/** Everything in a question that could be a whole name: its runs of up to six words, as they are written. */
export const possibleNames = (text: string): ReadonlyArray<string> => {
  const words = text.match(/[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}'’._/-]*/gu) ?? []
  const bare = words.map((word) => word.replace(/(['’]s)?['’._/-]*$/u, ""))
  const runs = bare.flatMap((_, start) =>
    Array.from({ length: Math.min(longestName, bare.length - start) }, (__, more) =>
      bare.slice(start, start + more + 1).join(" ")
    )
  )
  return [...new Set(runs)]
}

/**
 * How well a question calls a page, 0 to 3. 3: it is the name and nothing else. Between 1 and 2: it has the whole name in it, the more
 * the longer the name is. Below 1: the share of the name's words that it has, if it has half of them. Words in `common`, such as "the",
 * call nothing by themselves.
 */
export const calls = (question: string, page: CalledPage, common: ReadonlyArray<string> = []): number => {
  const asked = nameWords(question)
  const everywhere = new Set(common.map(fold))
  const names = [page.title, page.slug, page.slug.split("/").pop() ?? "", ...page.aliases]
  return Math.max(0, ...names.map((name) => callsBy(asked, nameWords(name), everywhere)))
}

const callsBy = (
  asked: ReadonlyArray<string>,
  name: ReadonlyArray<string>,
  everywhere: ReadonlySet<string>
): number => {
  const text = ` ${asked.join(" ")} `
  const whole = name.join(" ")
  if (text === ` ${whole} `) return 3
  const telling = name.filter((word) => !everywhere.has(word))
  if (telling.length === 0) return 0
  if (text.includes(` ${whole} `)) return 2 - 1 / (1 + whole.length)
  const has = new Set(asked)
  const shared = telling.filter((word) => has.has(word)).length / telling.length
  return shared >= 0.5 ? Math.min(shared, wholeApart) : 0
}

/** All words of the name are there, but not in a row. */
const wholeApart = 0.99
