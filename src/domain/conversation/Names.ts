/**
 * Telling the name of somebody who speaks from the label of a list, a heading or a tag of HTML.
 */

/** Removes what decorates a name: emoji, quotes and bullets in front, colons, emoji and pronouns behind. A telephone number keeps its plus. */
export const cleanSpeaker = (raw: string): string => {
  const name = raw
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/[\s\u00a0\u202f]+/g, " ")
    .trim()
  const cleaned = name
    .replace(/^(?!\+\d)[^\p{L}\p{N}+]+/u, "")
    .replace(/[:*\s\p{Extended_Pictographic}\p{RI}\p{Emoji_Modifier}\ufe0f\u200d]+$/u, "")
    .replace(/ \((?:she|her|he|him|they|them|xe|ze|sie|er)\b[^()]{0,30}\)$/i, "")
    .trim()
  return cleaned === "" ? name : cleaned
}

const labels: ReadonlySet<string> = new Set(
  (
    "action actions agenda answer attachment attachments attendees author background bcc body category caveat cc context " +
    "conclusion contact cost created currency date deadline decision decisions definition description details due duration " +
    "email error example examples facts file follow-up from goal goals google header hint id idea impact important info " +
    "input issue issues key lesson link links list location mail meeting metric model name next note notes objective option " +
    "organizer outcome output overview owner participants password phone place plan platform price priority problem pros " +
    "cons project purpose question questions quote reason recap reference references reminder result results risk risks role " +
    "room rule scope section see sent solution source sources stage start status step steps subject summary tag tags task " +
    "tasks team time timeline tip title to todo todos topic topics total type update updated url username usage value " +
    "version via warning website week when where who why what how yes no ps nb http https ftp mailto pro con fix bug " +
    "feature key-points takeaway takeaways highlights insight insights resources requirements prerequisites install monday " +
    "tuesday wednesday thursday friday saturday sunday january february march july september october " +
    "november december today tomorrow yesterday morning afternoon evening q a"
  ).split(" ")
)

// Months that are names too: `May` may speak, `May 3` does not.
const monthsOrNames: ReadonlySet<string> = new Set(["april", "may", "june", "august"])

/** Whether a word is the name of a month. */
export const isMonth = (word: string): boolean =>
  /^(january|february|march|april|may|june|july|august|september|october|november|december)$/i.test(word)

const titles = /(?<=^| )(?:Dr|Prof|Mr|Mrs|Ms|Mx|St|Sr|Jr|Rev|Fr|Hr|\p{Lu})\.(?= |$)/gu

/** Whether a text can be the name of somebody who speaks: short, not a known label of documents, no sentence. */
export const looksLikeName = (text: string): boolean => {
  const name = withoutRemark(cleanSpeaker(text))
  if (name === "" || name.length > 60 || /[.!?;]\s|[<>{}[\]|=/\\]/.test(name.replace(titles, "")))
    return false
  const words = name.split(" ")
  if (words.length > 5) return false
  if (monthsOrNames.has(words[0]?.toLowerCase() ?? "") && /^\d/.test(words[1] ?? "")) return false
  const lower = name.toLowerCase()
  if (labels.has(lower) || labels.has(words[0]?.toLowerCase().replace(/\d+$/, "") ?? "")) return false
  // Scripts without capitals, telephone numbers and lower-case nicknames of one word all occur.
  return /^[\p{Lu}\p{Lt}\p{Lo}+@\d]/u.test(name) || (words.length === 1 && /^[\p{Ll}]/u.test(name))
}

// `Dana (Work)`: what is in parentheses tells her from another Dana.
const withoutRemark = (name: string): string => name.replace(/ ?\([^()]{1,40}\)$/, "")

/** Whether it is a proper name as written in prose: every word capitalised, or in a script that has no capitals. */
export const looksLikeProperName = (text: string): boolean =>
  looksLikeName(text) &&
  withoutRemark(cleanSpeaker(text))
    .split(" ")
    .every(
      (word) =>
        /^[\p{Lu}\p{Lt}\p{Lo}\d(]/u.test(word) ||
        /^(de|del|di|da|dos|das|do|du|des|van|von|der|den|ten|ter|te|zu|zur|zum|la|le|los|las|af|av|bin|ibn|ben|al|el|e|i|y)$/.test(
          word
        )
    )

/** Whether the words before a time on a line of their own can be a name: a proper name, or one word. */
export const looksLikeSpeakerLine = (text: string): boolean =>
  !/[—–]/.test(text) &&
  (looksLikeProperName(text) || (looksLikeName(text) && !cleanSpeaker(text).includes(" ")))

const tags: ReadonlySet<string> = new Set(
  (
    "a abbr address area article aside audio b base bdi bdo blockquote body br button canvas caption cite code col " +
    "colgroup data datalist dd del details dfn dialog div dl dt em embed fieldset figcaption figure footer form h1 h2 h3 h4 " +
    "h5 h6 head header hr html i iframe img input ins kbd label legend li link main map menu meta meter nav noscript " +
    "object ol optgroup option output p param picture pre progress q rp rt ruby s samp script section select slot small " +
    "source span strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track u ul " +
    "var video wbr"
  ).split(" ")
)

/** Whether a word between angle brackets is a tag of HTML rather than a nickname. */
export const isHtmlTag = (word: string): boolean =>
  tags.has(word.toLowerCase()) || word.startsWith("/") || word.startsWith("!")
