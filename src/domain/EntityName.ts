/** How a display name becomes the last part of a slug. */

/** `Ana Ruiz` becomes `ana-ruiz`; path separators survive, letters of every script too, accents are dropped. */
export const entitySlug = (name: string): string =>
  name
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}/]+/gu, "-")
    .replace(/^-|-$/g, "")
