/** Speakers without a name: nobody a fact could be about. */

const anonymous =
  /^(?:speaker[ _-]?(?:[a-z]?\d{1,4}|[a-z])|participant[ _-]?(?:\d{1,4}|[a-z])|spk[ _-]?\d{1,4}|unknown(?: speaker)?|other|guest(?: ?\d{1,4})?|anonymous)$/i

/**
 * Whether a speaker's name is only a placeholder: `Speaker A`, `speaker_01`, `Participant 2`, `spk_0`, `Unknown`, `Guest`,
 * `Other`. `Speaker Pelosi` is a name.
 */
export const isAnonymousSpeaker = (name: string): boolean =>
  anonymous.test(
    name
      .slice(0, 80)
      .replace(/[*_`:]+$|^[*_`]+/g, "")
      .trim()
  )
