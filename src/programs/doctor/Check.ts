/** What an examination finds. */
import { Schema } from "effect"

/** A finding. */
export const Check = Schema.Struct({
  name: Schema.String,
  status: Schema.Literals(["ok", "warn", "fail"]),
  message: Schema.String,
  /** The statement or command that mends it. */
  fix: Schema.NullOr(Schema.String)
})

/** A finding. */
export type Check = typeof Check.Type

/** In order. */
export const ok = (name: string, message: string): Check => ({ name, status: "ok", message, fix: null })
/** Not in order, and the brain can be used. */
export const warn = (name: string, message: string, fix: string | null = null): Check => ({
  name,
  status: "warn",
  message,
  fix
})
/** Something that must be mended. */
export const fail = (name: string, message: string, fix: string | null = null): Check => ({
  name,
  status: "fail",
  message,
  fix
})
