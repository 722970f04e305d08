/** Numbers about somebody: what is counted, how much, in which unit, for which period. */

/** A number that a statement claims. All are null when it claims none. */
export interface Amount {
  readonly metric: string | null
  readonly value: number | null
  readonly unit: string | null
  readonly period: "monthly" | "quarterly" | "annual" | null
}

const none: Amount = { metric: null, value: null, unit: null, period: null }

const number = String.raw`(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)`
const scale = String.raw`\s?(k|m|bn|b|thousand|million|billion)?\b`
const money = [
  new RegExp(String.raw`([$€£])\s?${number}${scale}`, "i"),
  new RegExp(String.raw`(USD|EUR|GBP)\s?${number}${scale}`, "i")
]
const moneyAfter = new RegExp(String.raw`\b${number}${scale}\s?(dollars?|euros?|pounds|USD|EUR|GBP)\b`, "i")
const percent = new RegExp(String.raw`\b${number}\s?(?:%|percent\b)`, "i")
const counted = new RegExp(
  String.raw`\b${number}${scale}\s+(?:\p{Ll}+ )?(people|employees|engineers|staff|customers|clients|users|subscribers|months of runway|offices|stores|seats)\b`,
  "iu"
)

const scales: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  million: 1e6,
  b: 1e9,
  bn: 1e9,
  billion: 1e9
}
const currencies: Readonly<Record<string, string>> = {
  $: "USD",
  "€": "EUR",
  "£": "GBP",
  dollar: "USD",
  dollars: "USD",
  euro: "EUR",
  euros: "EUR",
  pounds: "GBP"
}
const counts: Readonly<Record<string, readonly [metric: string, unit: string]>> = {
  people: ["headcount", "people"],
  employees: ["headcount", "people"],
  staff: ["headcount", "people"],
  engineers: ["engineer_count", "people"],
  customers: ["customer_count", "customers"],
  clients: ["customer_count", "customers"],
  users: ["user_count", "users"],
  subscribers: ["subscriber_count", "subscribers"],
  "months of runway": ["runway_months", "months"],
  offices: ["office_count", "offices"],
  stores: ["store_count", "stores"],
  seats: ["seat_count", "seats"]
}
const moneyMetrics: ReadonlyArray<readonly [metric: string, cue: RegExp]> = [
  ["arr", /\barr\b|annual recurring revenue/i],
  ["mrr", /\bmrr\b|monthly recurring revenue/i],
  ["valuation", /\bvaluation|valued at|\bvalued\b/i],
  ["funding", /\braised\b|\bfunding\b|\bround\b|\binvest/i],
  ["salary", /\bsalary\b|\bearns?\b|\bpays? (?:me|him|her)\b/i],
  ["burn_rate", /\bburn/i],
  ["budget", /\bbudget\b/i],
  ["revenue", /\brevenue\b|\bsales\b/i],
  ["price", /\bpric|\bcosts?\b|\bpaid\b|\bbought\b|\bsold\b/i]
]
const percentMetrics: ReadonlyArray<readonly [metric: string, cue: RegExp]> = [
  ["churn", /\bchurn/i],
  ["nrr", /\bnrr\b|net revenue retention/i],
  ["gross_margin", /\bmargin/i],
  ["growth_rate", /\bgrew\b|\bgrow|\bgrowth\b|\bup by\b/i],
  ["share", /\bshare\b|\bowns?\b|\bequity\b/i]
]

/** The first sum of money in a statement, else what it counts, else a percentage of something known. */
export const amountOf = (sentence: string): Amount => {
  const sum = moneyIn(sentence)
  if (sum !== undefined) return sum
  const count = counted.exec(sentence)
  const known = counts[count?.[3]?.toLowerCase() ?? ""]
  if (known !== undefined) {
    return { metric: known[0], value: valueOf(count?.[1], count?.[2]), unit: known[1], period: null }
  }
  const share = percent.exec(sentence)
  const metric = share === null ? undefined : nearest(percentMetrics, sentence, share.index)
  if (share === null || metric === undefined) return none
  const value = Number((valueOf(share[1], undefined) / 100).toFixed(6))
  return { metric, value, unit: null, period: periodOf(sentence) }
}

const moneyIn = (sentence: string): Amount | undefined => {
  const before = money.map((shape) => shape.exec(sentence)).find((match) => match !== null)
  const after = moneyAfter.exec(sentence)
  if (before !== undefined && before !== null && before.index <= (after?.index ?? before.index)) {
    return moneyAmount(sentence, before.index, before[1], before[2], before[3])
  }
  return after === null ? undefined : moneyAmount(sentence, after.index, after[3], after[1], after[2])
}

const moneyAmount = (
  sentence: string,
  at: number,
  currency: string | undefined,
  digits: string | undefined,
  size: string | undefined
): Amount => {
  const metric = nearest(moneyMetrics, sentence, at) ?? "amount"
  const period = metric === "arr" ? "annual" : metric === "mrr" ? "monthly" : periodOf(sentence)
  const unit = currencies[currency?.toLowerCase() ?? ""] ?? currency?.toUpperCase() ?? null
  return { metric, value: valueOf(digits, size), unit, period }
}

/** The metric whose word stands closest to the number. */
const nearest = (
  metrics: ReadonlyArray<readonly [metric: string, cue: RegExp]>,
  sentence: string,
  at: number
): string | undefined => {
  let best: string | undefined
  let distance = Number.POSITIVE_INFINITY
  for (const [metric, cue] of metrics) {
    const place = sentence.search(cue)
    if (place >= 0 && Math.abs(place - at) < distance) {
      best = metric
      distance = Math.abs(place - at)
    }
  }
  return best
}

// Rounded to cents: 1.1 million is no whole number in floats.
const valueOf = (digits: string | undefined, size: string | undefined): number =>
  Math.round(Number((digits ?? "0").replaceAll(",", "")) * (scales[size?.toLowerCase() ?? ""] ?? 1) * 100) /
  100

const periodOf = (sentence: string): Amount["period"] =>
  /\b(?:a|per|each|every) month\b|\bmonthly\b|\/mo\b|\bmrr\b/i.test(sentence)
    ? "monthly"
    : /\b(?:a|per|each|every|this|last|next) quarter\b|\bquarterly\b|\bQ[1-4]\b/i.test(sentence)
      ? "quarterly"
      : /\b(?:a|per|each|every) year\b|\bannual(?:ly)?\b|\byearly\b|\/yr\b|\barr\b/i.test(sentence)
        ? "annual"
        : null
