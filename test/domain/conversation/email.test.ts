/** The dates of e-mail, which say nothing else wherever the machine is that reads them. */
import { afterEach, describe, expect, it } from "@effect/vitest"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"

const usual = process.env["TZ"]

afterEach(() => {
  if (usual === undefined) delete process.env["TZ"]
  else process.env["TZ"] = usual
})

/** The instant of the one message of an e-mail of this date, in a conversation whose unzoned times are in Madrid. */
const read = (date: string): string => {
  const parsed = parseConversation(
    `From: Dana Reyes <d@x.org>\nDate: ${date}\nSubject: Cabin\n\nI booked it.`,
    {
      date: undefined,
      timezone: "Europe/Madrid"
    }
  )
  return parsed._tag === "Conversation"
    ? new Date(parsed.messages[0]?.time ?? 0).toISOString()
    : parsed.reason
}

describe("the date of an e-mail", () => {
  for (const machine of ["UTC", "Asia/Tokyo", "America/Los_Angeles"]) {
    it(`is the same on a machine in ${machine}`, () => {
      process.env["TZ"] = machine
      for (const unzoned of [
        "14-Feb-2025 20:58",
        "14 Feb 2025 20:58:00",
        "Friday, February 14, 2025 8:58 PM",
        "Feb 14, 2025, at 8:58 PM"
      ]) {
        expect([unzoned, read(unzoned)]).toEqual([unzoned, "2025-02-14T19:58:00.000Z"])
      }
      for (const zoned of [
        "Fri, 14 Feb 2025 20:58:00 +0100 (CET)",
        "2025-02-14T20:58:00+01:00",
        "2025-02-14T19:58:00Z",
        "14-Feb-2025 19:58 GMT",
        "Fri, 14 Feb 2025 11:58:00 AM PST"
      ]) {
        expect([zoned, read(zoned)]).toEqual([zoned, "2025-02-14T19:58:00.000Z"])
      }
    })
  }
})
