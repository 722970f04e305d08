/**
 * What a link says: the words around it tell whether somebody founded, funded, advises or works at what is linked. The
 * types, and which of two wins, are gbrain's; so are the phrases, since both programs must call the same link the same.
 */

const phrases = (list: ReadonlyArray<string>): RegExp =>
  new RegExp(String.raw`\b(?:${list.join("|")})\b`, "i")

const rank = "senior|staff|principal|lead"
const field = "backend|frontend|full-?stack|ML|data|security"
const round = "seed|Series|round|investment"
const counsel = "strategic|technical|security|product|industry|senior|board"
const seat = "capacity|role|position"

const founded = phrases([
  "(?:co-?)?founded",
  "started the company",
  "incorporated",
  "founder of",
  "founders? (?:include|are)",
  "the founder",
  "is a co-?founder",
  "is one of the founders"
])

const investedIn = phrases([
  "(?:invest|invested|invests|investing|investments?) in",
  "(?:backed|funded) by",
  "funding from",
  "raised from",
  `led the (?:${round})`,
  "led .{0,30}(?:Series [A-Z]|seed|round|investment)",
  "participated in (?:the )?(?:seed|Series|round)",
  "wrote (?:a |the )?check",
  "first check",
  "early investor",
  "portfolio (?:company|includes)",
  "board seat (?:at|in|on)",
  "term sheet for"
])

const advises = phrases([
  "advise[sd]",
  "advisor (?:to|at|for|of)",
  `advisory (?:board|${seat}|engagement|partnership|contract|relationship|work)`,
  "board advisor",
  `(?:in an? )?advisory (?:${seat})`,
  `as an? (?:(?:${counsel}) )?advisor`,
  "consults for",
  "consulting role (?:at|with)"
])

const worksAt = phrases([
  "C[ETOFMR]O of",
  "VP (?:at|of)",
  "VPs? (?:Engineering|Product)",
  "work(?:s|ed|ing) at",
  "employed (?:by|at)",
  "joined (?:as|the team)",
  "engineer (?:at|for)",
  "director (?:at|of)",
  "head of",
  "heads up .{0,20} at",
  "leads (?:engineering|product)",
  "leads the .{0,20} (?:team|org) at",
  "manages (?:engineering|product) at",
  "running (?:engineering|product|design) at",
  "(?:currently|previously) at",
  "spent .{0,200} (?:years|months) at",
  "(?:stint|tenure) (?:at|as)",
  "(?:role|position) at",
  `(?:${rank}|${field}) engineer at`,
  `promoted to (?:${rank}) .{0,20} at`,
  "(?:his|her|their|my) time at"
])

const inChinese: ReadonlyArray<readonly [type: string, words: RegExp]> = [
  ["founded", /(?:创立|创办|成立|创建|建立|开创|发起)[了的]/],
  ["invested_in", /(?:投资|入股|融资|注资|参股)(?:[了的]|了?于)/],
  ["advises", /顾问|咨询|指导/],
  ["works_at", /任职|就职|担任|供职|在.{0,10}(?:工作|上班|负责)/],
  ["cited", /引用|援引|提到|提及|转述|摘录/]
]

// What gbrain's schema pack asks first, of any page, with small letters only.
const byPack: ReadonlyArray<readonly [type: string, words: RegExp]> = [
  ["founded", /\b(?:founded|founder of|co-?founded|started)\b/],
  ["works_at", /\b(?:works? at|employed by|works? for|joined|hired by|ceo of|cto of|cmo of)\b/],
  ["invested_in", /\b(?:invested in|backed|seeded|funded|wrote a check)\b/],
  ["advises", /\b(?:advises|advisor|advising)\b/]
]

const byWords: ReadonlyArray<readonly [type: string, words: RegExp]> = [
  ["founded", founded],
  ["invested_in", investedIn],
  ["advises", advises],
  ["works_at", worksAt]
]

/** What a person's page says of the person, which is then said of every company it links without further words. */
const byRole: ReadonlyArray<readonly [type: string, words: RegExp]> = [
  [
    "invested_in",
    phrases([
      "partner (?:at|of)",
      "(?:venture|VC) partner",
      "invested early",
      "investor (?:at|in)",
      "portfolio",
      "venture capital",
      "(?:early-stage|seed) investor",
      "fund [A-Z]",
      "invests across",
      "backs companies"
    ])
  ],
  [
    "advises",
    phrases([
      "(?:full-time|professional) advisor",
      "advises (?:multiple|several|various)",
      "is an? (?:(?:security|technical|strategic|industry|product|senior) )?advisor",
      "took on advisory roles",
      "(?:her|his|their) advisory (?:work|role|engagement|portfolio)",
      "serves as (?:an )?advisor"
    ])
  ],
  [
    "works_at",
    phrases([
      `is an? (?:${rank}|${field}|DevOps|platform)? ?engineer at`,
      `is an? (?:${rank})? ?(?:developer|designer|product manager|engineering manager|director|VP) (?:at|of)`,
      "holds? the (?:C[TEFOMR]O|VP) (?:role|position|seat|title) at",
      "is the C[TEFOMR]O of",
      "employee at",
      "on the team at",
      "works on .{0,30} at"
    ])
  ]
]

const hanCharacter = /[\u4e00-\u9fff]/

const firstOf = (
  rules: ReadonlyArray<readonly [type: string, words: RegExp]>,
  text: string
): string | undefined => rules.find(([, words]) => words.test(text))?.[0]

/** The role that a page gives its person, if any; asked of a whole page, so once a page is enough. */
export const roleOf = (text: string): string | undefined => firstOf(byRole, text)

/** Types of page whose links are of one kind, where the pack's words say nothing else. */
const byPage: Readonly<Record<string, string>> = { media: "mentions", image: "image_of", meeting: "attended" }

/**
 * The type of a link on a page of type `pageType`, by the words around it. `role` is asked only when the words say nothing and a
 * person's page links a company.
 */
export const linkType = (
  pageType: string,
  words: string,
  targetSlug: string,
  role: () => string | undefined
): string => {
  const first = firstOf(byPack, words)
  if (first !== undefined) return first
  const fixed = Object.hasOwn(byPage, pageType) ? byPage[pageType] : undefined
  if (fixed !== undefined) return fixed
  const said = firstOf(byWords, words) ?? (hanCharacter.test(words) ? firstOf(inChinese, words) : undefined)
  if (said !== undefined) return said
  const ofPerson = pageType === "person" && targetSlug.startsWith("companies/") ? role() : undefined
  return ofPerson ?? "mentions"
}
