/** What a lease is, and how long it lives. */
import { Context, Duration } from "effect"

/** A lease that is held. `token` tells this holding from every earlier and later one of the same id. */
export interface Lease {
  readonly id: string
  readonly token: string
}

/** How long a lease lives, and how often it is renewed. Durations of the database's clock and of ours. */
export const LeasePolicy = Context.Reference("gbrain/LeasePolicy", {
  defaultValue: () => ({
    /** A lease not refreshed for this long may be taken by others. */
    ttl: Duration.minutes(2),
    /** Time between two refreshes. */
    refreshEvery: Duration.seconds(20),
    /** How long after its last refresh an expired lease is still left alone; gbrain's rule, which we keep. */
    grace: Duration.minutes(1)
  })
})
