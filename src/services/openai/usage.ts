/** What a server says it used. */
import { Schema } from "effect"

/**
 * A number of tokens or pixels that was used. Nothing else is taken for one: a negative number would give money back that was spent,
 * and a part of a token has no price.
 */
export const UsedCount = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
