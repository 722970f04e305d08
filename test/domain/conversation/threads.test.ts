/** Threads of e-mail: what is quoted is said once, by whoever said it, and what looks like headers of a mail is weighed. */
import { describe, expect, it } from "@effect/vitest"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"

const parse = (...lines: ReadonlyArray<string>) =>
  parseConversation(lines.join("\n"), { date: "2025-03-01", timezone: undefined })

/** The messages as `time speaker: text`; those without a time of their own as `day speaker: text`. */
const said = (...lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const parsed = parse(...lines)
  if (parsed._tag !== "Conversation") return expect.fail(parsed.detail)
  expect(parsed.formats).toEqual(["email"])
  return parsed.messages.map(({ speaker, text, time, timeKnown }) => {
    const iso = new Date(time).toISOString()
    return `${timeKnown ? iso.slice(0, 16) : iso.slice(0, 10)} ${speaker}: ${text.replaceAll("\n", " / ")}`
  })
}

const from = (name: string, hour: number): ReadonlyArray<string> => [
  `From: ${name} <${name.toLowerCase()}@x.org>`,
  `Date: Fri, 14 Feb 2025 ${hour}:00:00 +0000`,
  ""
]
const mail = (...body: ReadonlyArray<string>): ReadonlyArray<string> => said(...from("Dana", 12), ...body)
const wroteOmar = "On Fri, 14 Feb 2025 at 10:00, Omar Haddad <omar@x.org> wrote:"

describe("what a mail quotes", () => {
  it("is a message of whoever is quoted, where it stands nowhere else on the page", () => {
    expect(
      mail("Yes, I agree to the price.", "", wroteOmar, "> Omar bought the house in Lisbon for 400k.")
    ).toEqual([
      "2025-02-14T10:00 Omar Haddad: Omar bought the house in Lisbon for 400k.",
      "2025-02-14T12:00 Dana: Yes, I agree to the price."
    ])
  })

  it("has the line of the page on which it stands", () => {
    const parsed = parse(...from("Dana", 12), "Yes.", wroteOmar, "> The house is sold.")
    expect(parsed._tag === "Conversation" && parsed.messages.map(({ line }) => line)).toEqual([6, 1])
  })

  it("is left out where another mail of the page says it, however the lines are broken", () => {
    expect(
      said(
        ...from("Omar", 10),
        "I bought the house in Lisbon for 400k and we move in May, when the school",
        "is over. Yours,",
        "Omar",
        ...from("Dana", 12),
        "Great",
        wroteOmar,
        "> I bought the house in Lisbon for 400k and",
        "> we move in May, when the school is",
        "> over.",
        ">",
        "> Yours,",
        "> Omar"
      )
    ).toEqual([
      "2025-02-14T10:00 Omar: I bought the house in Lisbon for 400k and we move in May, when the school / is over. Yours, / Omar",
      "2025-02-14T12:00 Dana: Great"
    ])
  })

  it("is kept line by line: those that another mail does not say", () => {
    expect(
      said(
        ...from("Omar", 10),
        "I bought the house in Lisbon.",
        ...from("Dana", 12),
        "Great",
        wroteOmar,
        "> I bought the house in Lisbon.",
        "> It was a bargain at 400k."
      )
    ).toEqual([
      "2025-02-14T10:00 Omar: I bought the house in Lisbon.",
      "2025-02-14T10:00 Omar Haddad: It was a bargain at 400k.",
      "2025-02-14T12:00 Dana: Great"
    ])
  })

  it("is said once, when several mails quote it, newest first", () => {
    expect(
      said(
        ...from("Dana", 12),
        "Great, thank you.",
        "On 2025-02-14 11:00, Ines Costa wrote:",
        "> We sign it on Friday at noon.",
        "> On 2025-02-14 10:00, Omar Haddad wrote:",
        ">> The bank agrees to the 400k.",
        ...from("Ines", 11),
        "We sign it on Friday at noon.",
        "On 2025-02-14 10:00, Omar Haddad wrote:",
        "> The bank agrees to the 400k."
      )
    ).toEqual([
      "2025-02-14T10:00 Omar Haddad: The bank agrees to the 400k.",
      "2025-02-14T12:00 Dana: Great, thank you.",
      "2025-02-14T11:00 Ines: We sign it on Friday at noon."
    ])
  })

  it("inside what is quoted comes before it", () => {
    expect(
      mail(
        "Great",
        "On Fri, Feb 14, 2025 at 11:00 AM Ines Costa <ines@x.org> wrote:",
        "> We sign on Friday.",
        ">",
        "> On Fri, Feb 14, 2025 at 10:00 AM Omar Haddad <",
        "> omar@x.org> wrote:",
        ">> The bank agrees."
      )
    ).toEqual([
      "2025-02-14T10:00 Omar Haddad: The bank agrees.",
      "2025-02-14T11:00 Ines Costa: We sign on Friday.",
      "2025-02-14T12:00 Dana: Great"
    ])
  })

  it("stays in the message as it is, where nobody is named", () => {
    expect(mail("> When do you move?", "In May.")).toEqual([
      "2025-02-14T12:00 Dana: > When do you move? / In May."
    ])
  })

  it("stays with the answers that are written in between", () => {
    expect(mail(wroteOmar, "> When do you move?", "In May.", "> Where to?", "Lisbon.")).toEqual([
      `2025-02-14T12:00 Dana: ${wroteOmar} / > When do you move? / In May. / > Where to? / Lisbon.`
    ])
  })

  it("by the headers of the mail it is from is a message of its sender", () => {
    expect(
      mail(
        "Great",
        "> -----Original Message-----",
        "> From: Omar Haddad <omar@x.org>",
        "> Sent: Friday, February 14, 2025 10:00 AM",
        "> Subject: House",
        ">",
        "> The bank agrees."
      )
    ).toEqual(["2025-02-14T10:00 Omar Haddad: The bank agrees.", "2025-02-14T12:00 Dana: Great"])
  })

  it("a word or two that another mail says too do not go from a sentence that it does not say", () => {
    expect(
      said(
        ...from("Omar", 10),
        "Yes.",
        ...from("Dana", 12),
        "Great",
        wroteOmar,
        "> Is it 400k then?",
        "> Yes."
      )
    ).toContain("2025-02-14T10:00 Omar Haddad: Is it 400k then? / Yes.")
  })

  it("10,000 quotes of each other are read in time linear in the text", () => {
    const thread = Array.from({ length: 10_000 }, (_, index) => [
      ...from("Dana", 12),
      `This is the answer number ${index} to you.`,
      wroteOmar,
      `> This is the answer number ${index - 1} to you.`,
      ">> This is what nobody else has said."
    ]).flat()
    const parsed = parseConversation(thread.join("\n"), { date: undefined, timezone: undefined })
    // Two are new: the quoted answer before the first, and what nobody else has said.
    expect(parsed._tag === "Conversation" ? parsed.messages.length : 0).toBe(10_001)
  })
})

describe("attributions", () => {
  const named = (attribution: string) => mail("Great", attribution, "> It is sold.")[0]
  for (const attribution of [
    "On 14/02/2025 10:00, Omar Haddad wrote:",
    "On Feb 14, 2025, at 10:00 AM, Omar Haddad <omar@x.org> wrote:",
    "On Fri, Feb 14, 2025 at 10:00 AM UTC, Omar Haddad wrote:",
    "Am 14.02.2025 um 10:00 schrieb Omar Haddad <omar@x.org>:",
    "Am Fr., 14. Feb. 2025 um 10:00 Uhr schrieb Omar Haddad <omar@x.org>:",
    "Omar Haddad <omar@x.org> schrieb am Fr., 14. Feb. 2025, 10:00:",
    "Le ven. 14 févr. 2025 à 10:00, Omar Haddad <omar@x.org> a écrit :",
    "El vie, 14 feb 2025 a las 10:00, Omar Haddad (<omar@x.org>) escribió:",
    "Il giorno ven 14 feb 2025 alle ore 10:00 Omar Haddad <omar@x.org> ha scritto:",
    "Op vr 14 feb 2025 om 10:00 schreef Omar Haddad <omar@x.org>:",
    "Em sex., 14 de fev. de 2025 às 10:00, Omar Haddad <omar@x.org> escreveu:"
  ])
    it(attribution, () => expect(named(attribution)).toBe("2025-02-14T10:00 Omar Haddad: It is sold."))

  it("Omar Haddad <omar@x.org> wrote: tells no time", () =>
    expect(named("Omar Haddad <omar@x.org> wrote:")).toBe("2025-03-01 Omar Haddad: It is sold."))

  it("are no sentences that only end like one", () => {
    for (const sentence of [
      "On Monday the lawyer told me what the bank wrote:",
      "On 3 March the lawyer told me what the bank wrote:"
    ])
      expect(mail(sentence, "> No more than 300k.")).toEqual([
        `2025-02-14T12:00 Dana: ${sentence} / > No more than 300k.`
      ])
  })

  it("stay where nothing below them is marked as quoted", () => {
    expect(mail(wroteOmar, "It is sold.")).toEqual([`2025-02-14T12:00 Dana: ${wroteOmar} / It is sold.`])
  })
})

describe("headers", () => {
  it("of a journey begin no mail", () => {
    expect(mail("Booked:", "From: Berlin", "To: Lisbon", "Date: 3 March 2025", "Seat: 12A")).toEqual([
      "2025-02-14T12:00 Dana: Booked: / From: Berlin / To: Lisbon / Date: 3 March 2025 / Seat: 12A"
    ])
  })

  const history = ["From: Omar Haddad", "Date: Fri, 14 Feb 2025 10:00:00 +0000"]
  for (const [name, lines] of [
    ["an address of who it is to", [...history, "To: dana@x.org"]],
    ["a subject", [...history, "Subject: House"]],
    ["a rule before them", ["---", ...history]],
    ["Outlook's rule before them", ["________________________________", "", ...history]],
    ["the words before them", ["-----Original Message-----", ...history]],
    ["Gmail's words before them", ["---------- Forwarded message ---------", ...history]]
  ] as const)
    it(`with ${name} begin a mail`, () =>
      expect(mail("Great", ...lines, "", "It is sold.")).toEqual([
        "2025-02-14T12:00 Dana: Great",
        "2025-02-14T10:00 Omar Haddad: It is sold."
      ]))

  for (const [language, ...headers] of [
    [
      "German",
      "Von: Omar <omar@x.org>",
      "Gesendet: Freitag, 14. März 2025 10:00",
      "An: Dana",
      "Betreff: Haus"
    ],
    ["German, short", "Von: Omar <omar@x.org>", "Datum: 14.03.2025 10:00", "An: Dana", "Betreff: Haus"],
    [
      "French",
      "De : Omar <omar@x.org>",
      "Envoyé : vendredi 14 mars 2025 10:00",
      "À : Dana",
      "Objet : Maison"
    ],
    [
      "Spanish",
      "De: Omar <omar@x.org>",
      "Enviado el: viernes, 14 de marzo de 2025 10:00",
      "Para: Dana",
      "Asunto: Casa"
    ],
    [
      "Dutch",
      "Van: Omar <omar@x.org>",
      "Verzonden: vrijdag 14 maart 2025 10:00",
      "Aan: Dana",
      "Onderwerp: Huis"
    ],
    ["Italian", "Da: Omar <omar@x.org>", "Inviato: venerdì 14 marzo 2025 10:00", "A: Dana", "Oggetto: Casa"],
    [
      "Portuguese",
      "De: Omar <omar@x.org>",
      "Enviado: sexta-feira, 14 de março de 2025 10:00",
      "Para: Dana",
      "Assunto: Casa"
    ],
    ["bold", "**From:** Omar <omar@x.org>", "**Sent:** Friday, March 14, 2025 10:00 AM", "**Subject:** House"]
  ] as const) {
    it(`${language}, of the first mail and of the next`, () => {
      expect(mail("Great", ...headers, "", "It is sold.")).toEqual([
        "2025-02-14T12:00 Dana: Great",
        "2025-03-14T10:00 Omar: It is sold."
      ])
      expect(said(...headers, "", "It is sold.")).toEqual([
        expect.stringMatching(/^2025-03-14T10:00 Omar: \w+ \/ It is sold\.$/)
      ])
    })
  }

  it("with a date that nobody can read have the page's", () => {
    expect(said("Von: Omar <omar@x.org>", "Gesendet: neulich", "Betreff: Haus", "", "Verkauft.")).toEqual([
      "2025-03-01 Omar: Haus / Verkauft."
    ])
  })

  it("without a date begin a mail, when the sender has an address and there is a subject", () => {
    expect(said("From: Dana Reyes <dana@x.org>", "Subject: House", "", "It is sold.")).toEqual([
      "2025-03-01 Dana Reyes: House / It is sold."
    ])
    expect(parse("From: Dana Reyes", "Subject: House", "", "It is sold.")._tag).toBe("NotAConversation")
  })

  it("may have a sentence or two above them, when the sender has an address", () => {
    expect(said("Hi Ana,", "see below.", "", ...from("Dana", 12), "It is sold.")).toEqual([
      "2025-03-01 Unknown: Hi Ana, / see below.",
      "2025-02-14T12:00 Dana: It is sold."
    ])
    expect(parse("We go.", "", "From: Berlin", "To: Lisbon", "Date: 3 March 2025")._tag).toBe(
      "NotAConversation"
    )
    expect(parse("One.", "Two.", "Three.", ...from("Dana", 12), "It is sold.")._tag).toBe("NotAConversation")
  })
})
