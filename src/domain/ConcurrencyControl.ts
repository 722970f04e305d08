/**
 * How many pieces of work at a time a service can take, found out by watching it: additive increase while it answers as fast as
 * it ever did, multiplicative decrease when answers take longer or it pushes back. The idea is that of TCP Vegas and of
 * Netflix's concurrency limits: when more are in flight than the service works on, the rest wait in its queue, so
 * `limit * (1 - best latency / latency)` is the length of that queue. The limit is kept where the queue is short but not empty.
 *
 * Latencies are judged by the mean of a round (about as many answers as are in flight), since single answers of a model differ
 * by a factor of ten. A latency that rose for a reason of its own is told from a queue by trying: when working less
 * made nothing faster, the new latency is the normal one. And from time to time more is tried: when that makes nothing slower, there
 * was no queue.
 *
 * A plain value and pure functions; `WorkerPool` drives it.
 */

/** Names and values of the policy. */
export interface ConcurrencyPolicy {
  /** Where it begins. */
  readonly initial: number
  readonly least: number
  readonly most: number
  /** Answers that a round has at least. */
  readonly roundAtLeast: number
  /** The queue is too short below this share of the limit, too long above the other. */
  readonly shortQueue: number
  readonly longQueue: number
  /** What is left of the limit after a refusal or a timeout. */
  readonly afterPushback: number
}

/** The policy unless told otherwise. */
export const defaultConcurrencyPolicy: ConcurrencyPolicy = {
  initial: 4,
  least: 1,
  most: 256,
  roundAtLeast: 12,
  shortQueue: 0.1,
  longQueue: 0.25,
  afterPushback: 0.7
}

/** What is known so far. Times are milliseconds. */
export interface ConcurrencyState {
  readonly limit: number
  /** The best mean latency of a round; none before the first. */
  readonly baseline: number | undefined
  /** Doubling from round to round, until the first sign of a queue. */
  readonly doubling: boolean
  /** Rounds in a row with room to spare. */
  readonly roomy: number
  /** Rounds in a row with a queue of the right length. */
  readonly steady: number
  /** Whether the last limit that was tried in steady times was a larger one. */
  readonly triedUp: boolean
  /** What was so before the last large step, to be compared with the round after it. */
  readonly before: { readonly limit: number; readonly latency: number } | undefined
  /**
   * Since when no more than the limit are in flight; infinity while more are. Answers to calls that began earlier waited in
   * the longer queue of then, and say nothing about the limit of now.
   */
  readonly settledAt: number
  /** The round that is being counted. */
  readonly round: Round
}

interface Round {
  readonly answers: number
  readonly latency: number
  readonly mostInFlight: number
  readonly pushedBack: boolean
}

/** The state before anything is known. */
export const initialConcurrency = (policy: ConcurrencyPolicy, now: number): ConcurrencyState => ({
  limit: Math.min(policy.initial, policy.most),
  baseline: undefined,
  doubling: true,
  roomy: 0,
  steady: 0,
  triedUp: false,
  before: undefined,
  settledAt: now,
  round: emptyRound
})

const emptyRound: Round = {
  answers: 0,
  latency: 0,
  mostInFlight: 0,
  pushedBack: false
}

/** A piece of work came back after `latency`, while `inFlight` (itself included) were under way. */
export const answered = (
  policy: ConcurrencyPolicy,
  state: ConcurrencyState,
  sample: { readonly now: number; readonly latency: number; readonly inFlight: number }
): ConcurrencyState => {
  if (state.settledAt === Infinity) {
    return sample.inFlight > state.limit
      ? state
      : { ...state, settledAt: sample.now, round: { ...emptyRound, pushedBack: state.round.pushedBack } }
  }
  if (sample.now - sample.latency < state.settledAt) return state
  const round: Round = {
    ...state.round,
    answers: state.round.answers + 1,
    latency: state.round.latency + sample.latency,
    mostInFlight: Math.max(state.round.mostInFlight, sample.inFlight)
  }
  return round.answers < Math.max(policy.roundAtLeast, state.limit)
    ? { ...state, round }
    : afterRound(policy, { ...state, round }, sample.now)
}

/** The service refused for want of capacity, or did not answer in time. One such sign a round counts. */
export const pushedBack = (policy: ConcurrencyPolicy, state: ConcurrencyState): ConcurrencyState =>
  state.round.pushedBack
    ? state
    : {
        ...state,
        limit: Math.max(policy.least, Math.floor(state.limit * policy.afterPushback)),
        doubling: false,
        roomy: roomyRounds - roundsOfDistrust,
        before: undefined,
        settledAt: Infinity,
        round: { ...emptyRound, pushedBack: true }
      }

/** After this many rounds with room to spare, the knee has moved up far: double again. */
const roomyRounds = 3

/** After the service pushed back, it is trusted less quickly. */
const roundsOfDistrust = 10

/** Rounds with a queue of the right length after which a larger or a smaller limit is tried, in turns. */
const steadyRounds = 5

/** How much larger, and the least that a decrease must be to be told from noise. */
const step = 1.25

/** How much a baseline rises at most after a small step. */
const largestRise = 1.15

/** The most that one decrease takes away: what is in flight has to drain first, and the estimate is rough when queues are long. */
const deepestCut = 1 / 3

const afterRound = (policy: ConcurrencyPolicy, state: ConcurrencyState, now: number): ConcurrencyState => {
  const { answers, latency: total, mostInFlight } = state.round
  const latency = total / answers
  const next = { ...state, round: emptyRound, before: undefined }
  const clamp = (limit: number) => Math.min(policy.most, Math.max(policy.least, Math.round(limit)))
  const known = state.baseline ?? latency

  const { before } = state
  // A small step can look like proof by chance: what it says about the baseline is believed in part.
  const cautious = (seen: number) => Math.max(known, Math.min(seen, known * largestRise))
  const change = before === undefined ? 1 : latency / before.latency
  if (before !== undefined && before.limit > state.limit && change > 0.9 && change < 1.25) {
    // A shorter queue would have been waited through faster: what looked like one is how long answers take now. (When they
    // take longer still, the queue was just building up when it was measured.)
    return {
      ...next,
      limit: before.limit,
      baseline: state.limit < 0.6 * before.limit ? latency : cautious(latency)
    }
  }
  if (before !== undefined && before.limit < state.limit && change < (1 + step) / 2) {
    // A longer queue would have taken longer: there was none, and the baseline was a lucky round.
    return { ...next, baseline: cautious(Math.min(latency, before.latency)) }
  }
  const baseline = Math.min(latency, known)
  // With too little to do, latency says nothing about the limit.
  if (mostInFlight < 0.8 * state.limit) return { ...next, baseline }

  const share = baseline / latency
  const queue = state.limit * (1 - share)
  const short = Math.max(1, policy.shortQueue * state.limit)
  const long = Math.max(2, policy.longQueue * state.limit)
  if (queue > long) {
    const limit = clamp(Math.max(state.limit * deepestCut, state.limit * share + short))
    const cut = limit * step <= state.limit ? { limit: state.limit, latency } : undefined
    return {
      ...next,
      baseline,
      doubling: false,
      roomy: 0,
      steady: 0,
      limit,
      before: cut,
      settledAt: Infinity
    }
  }
  if (queue > short && !state.doubling) {
    const steady = state.steady + 1
    if (steady < steadyRounds) return { ...next, baseline, doubling: false, roomy: 0, steady }
    const up = !state.triedUp
    const limit = clamp(up ? Math.ceil(state.limit * step) : Math.floor(state.limit / step))
    return {
      ...next,
      baseline,
      roomy: 0,
      steady: 0,
      triedUp: up,
      limit,
      before: limit === state.limit ? undefined : { limit: state.limit, latency },
      settledAt: up ? now : Infinity
    }
  }
  const roomy = state.roomy + 1
  const doubling = state.doubling || roomy >= roomyRounds
  const limit = clamp(doubling ? state.limit * 2 : state.limit + Math.max(1, state.limit / 10))
  return { ...next, baseline, roomy, steady: 0, doubling, limit, settledAt: now }
}
