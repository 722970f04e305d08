/** Slugs: how pages are named, from where their files are. */

/**
 * One part of a path: lower case, no accents and no Hebrew points, spaces as hyphens; letters of every script, digits, dots and
 * underscores stay.
 */
export const slugSegment = (segment: string): string =>
  isSlug.test(segment)
    ? segment
    : segment
        .normalize("NFD")
        .replace(/[\u0300-\u036f\u0591-\u05c7]/g, "")
        .normalize("NFC")
        .toLowerCase()
        .replace(/[^\p{Ll}\p{Lm}\p{Lo}\p{M}\p{N}.\s_-]/gu, "")
        .replace(/\s+/g, "-")
        .replace(/-+/g, "-")
        .replace(/^-|-$/g, "")

// Most of what is asked for is a slug already, and links ask for very many.
const isSlug = /^[a-z0-9_]+(?:[.-][a-z0-9_]+)*$/
const isSlugPath = /^[a-z0-9_]+(?:[./-][a-z0-9_]+)*$/
const isMarkdown = /\.mdx?$/i

/** The slug of a file, from its path inside the brain: `Apple Notes/2017-05-03 Ohm.md` is `apple-notes/2017-05-03-ohm`. */
export const slugOfPath = (path: string): string =>
  isSlugPath.test(path) && !isMarkdown.test(path)
    ? path
    : path
        .replaceAll("\\", "/")
        .replace(isMarkdown, "")
        .split("/")
        .map(slugSegment)
        .filter((part) => part !== "" && part !== "." && part !== "..")
        .join("/")
