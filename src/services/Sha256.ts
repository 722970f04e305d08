/** SHA-256, for keys that name contents. */
import { hash } from "node:crypto"

/** The digest of `text` as UTF-8, in lower-case hexadecimal. */
export const sha256Hex = (text: string): string => hash("sha256", text, "hex")

/** The digest of bytes, in lower-case hexadecimal. */
export const sha256OfBytes = (bytes: Uint8Array): string => hash("sha256", bytes, "hex")
