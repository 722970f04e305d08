/** What a search can be told. */
import { Option } from "effect"

/** What to look for, and where. */
export interface SearchOptions {
  readonly text: string
  /** One source; all that are not archived unless told. */
  readonly sourceId: Option.Option<string>
  /** Types of pages; all when empty. */
  readonly types: ReadonlyArray<string>
  readonly limit: number
  /** `world` leaves out what is private: for whoever answers others than the owner of the brain. */
  readonly visibility: "all" | "world"
}

/** gbrain's. */
export const defaultLimit = 20

/** A search of everything. */
export const defaultSearch: Omit<SearchOptions, "text"> = {
  sourceId: Option.none(),
  types: [],
  limit: defaultLimit,
  visibility: "all"
}
