/** SHA-256, for keys that name contents. */
import { createHash } from "node:crypto"

/** The digest of `text` as UTF-8, in lower-case hexadecimal. */
export const sha256Hex = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex")

/** The digest of bytes, in lower-case hexadecimal. */
export const sha256OfBytes = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
