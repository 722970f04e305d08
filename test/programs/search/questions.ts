/** Forty questions to the example, in plain words, each with what answers it. Written before anything was searched. */

/** A question with its answer: any of these pages, or a fact that was said on one of them and has the words. */
export interface QualityQuestion {
  readonly text: string
  readonly pages: ReadonlyArray<string>
  /** Part of a fact; without it only a page is an answer. */
  readonly fact?: string
}

const question = (text: string, pages: string, fact?: string): QualityQuestion => ({
  text,
  pages: pages.split(" "),
  ...(fact === undefined ? {} : { fact })
})

/** The table. */
export const qualityQuestions: ReadonlyArray<QualityQuestion> = [
  question("Who started Tidewell together with Noor?", "people/tomas-lindqvist companies/tidewell"),
  question("Who designed the yellow shell?", "people/omar-haddad projects/listening-post"),
  question("How many months does one battery last?", "projects/listening-post"),
  question("At which bank does the company have its accounts?", "companies/saltmarsh-bank"),
  question("Who is a fiddle teacher?", "people/rory-halloran"),
  question("Who worked as a pilot in the harbour?", "people/dan-whitlock"),
  question("Who can tell ships from whales with a model?", "people/hana-sato"),
  question("What is a sound budget?", "concepts/sound-budget meetings/2024-11-05-offsite"),
  question("How do we build at sea without scaring animals?", "concepts/quiet-construction"),
  question(
    "Which firm builds our moorings?",
    "companies/hafenwerk conversations/2024-04-slack-hardware",
    "ten moorings"
  ),
  question(
    "What did repairing the propeller cost?",
    "conversations/2024-07-whatsapp-dan",
    "11 thousand dollars"
  ),
  question("Who must not eat shellfish?", "conversations/2024-06-whatsapp-family", "allergic to shellfish"),
  question(
    "What valuation did the investor offer first?",
    "conversations/2024-06-telegram-export",
    "valuation of 9 million"
  ),
  question("How much money did the seed round raise?", "conversations/2024-09-discord-party", "2.4 million"),
  question(
    "On which days does Hana work from home?",
    "conversations/2024-05-onboarding-hana",
    "Mondays and Fridays"
  ),
  question("How good is the classifier at porpoises?", "conversations/2024-09-matrix-data", "94 percent"),
  question(
    "Who pays for the open archive of recordings?",
    "projects/open-sound-atlas companies/ocean-fund conversations/2025-03-single-note"
  ),
  question(
    "How many listening posts does Northbank buy?",
    "conversations/2024-08-teams-northbank",
    "six Listening Posts"
  ),
  question("What is the name of the baby of Tomas?", "conversations/2025-01-whatsapp-ios", "Alva"),
  question(
    "How many years does the lease of the office run?",
    "conversations/2025-02-email-office",
    "three years"
  ),
  question(
    "When was the first station put into the water?",
    "conversations/2025-02-iso-log companies/tidewell",
    "went into the water at 11:38"
  ),
  question("Who found a blue whale in a recording?", "conversations/2025-04-launch-day", "blue whale"),
  question("Where can one swim near the aquarium?", "conversations/2025-03-bulleted-notes", "aquarium"),
  question("Who quit at the institute to found a company?", "conversations/2024-01-imessage-rory", "quit"),
  question("What do we pay to insure the boats?", "meetings/2025-01-20-board", "48 thousand"),
  question(
    "How many months of runway are left?",
    "meetings/2025-01-20-board conversations/2025-04-launch-day",
    "unway is"
  ),
  question(
    "What did the porpoises do before hammering?",
    "meetings/2024-12-webvtt-talk",
    "four hours before"
  ),
  question("What is the weight of the second shell?", "meetings/2024-11-review-recording", "24 kilograms"),
  question(
    "How often was rubbish dumped at Azul Ports?",
    "meetings/2024-11-granola-customer companies/azul-ports",
    "eleven cases"
  ),
  question("Why does the station reboot?", "conversations/2024-10-irc-firmware", "reboots when the ferry"),
  question("When did the mooring line break?", "conversations/2024-10-weechat-night", "parted"),
  question(
    "Who reads contracts before they are signed?",
    "people/lucia-ferrari conversations/2024-08-signal-idris",
    "reads everything"
  ),
  question(
    "Who came to us from hearing aids?",
    "people/leila-farsi meetings/2024-11-otter-allhands",
    "hearing aids"
  ),
  question(
    "In which months do we need a berth for the winter?",
    "conversations/2024-10-assistant-letter",
    "1 November"
  ),
  question("Where will Noor give a talk in June?", "conversations/2025-05-email-digest", "Ocean Forum"),
  question("Who is our accountant?", "people/yusuf-demir"),
  question(
    "Did the grant from the ocean fund reach the bank?",
    "conversations/2024-12-slack-paste",
    "arrived at Saltmarsh"
  ),
  question(
    "For how long will the fund support the atlas?",
    "conversations/2025-03-single-note",
    "three more years"
  ),
  question("Where is Dan's birthday party?", "conversations/2025-04-dan-birthday", "Pingvin"),
  question("Which size of battery pack did we choose?", "conversations/2024-05-chatgpt-battery", "9 kilowatt")
]
