/** Fills requests: as many inputs as fit, in the order they come, whatever page they are from. */

/** The most that one request may hold. */
export interface BatchLimits {
  readonly inputs: number
  readonly tokens: number
  readonly bytes: number
}

/** How much of a request an input takes. Tokens may be an estimate. */
export interface InputSize {
  readonly tokens: number
  readonly bytes: number
}

/** A request that is being filled. */
export interface Packer<A> {
  /** Puts an item in; answers the batch that is full because of it, if any. */
  readonly add: (item: A, size: InputSize) => ReadonlyArray<ReadonlyArray<A>>
  /** What is left at the end. */
  readonly rest: () => ReadonlyArray<ReadonlyArray<A>>
}

/** Makes a packer. An item beyond the limits is a batch of its own. */
export const makePacker = <A>(limits: BatchLimits): Packer<A> => {
  let open: Array<A> = []
  let tokens = 0
  let bytes = 0

  const close = () => {
    const full = open
    open = []
    tokens = 0
    bytes = 0
    return full.length === 0 ? [] : [full]
  }

  return {
    add: (item, size) => {
      const full = tokens + size.tokens > limits.tokens || bytes + size.bytes > limits.bytes ? close() : []
      open.push(item)
      tokens += size.tokens
      bytes += size.bytes
      return open.length >= limits.inputs ? [...full, ...close()] : full
    },
    rest: close
  }
}

/** Cuts a list into batches; see `makePacker`. */
export const packAll = <A>(
  items: ReadonlyArray<A>,
  limits: BatchLimits,
  sizeOf: (item: A) => InputSize
): ReadonlyArray<ReadonlyArray<A>> => {
  const packer = makePacker<A>(limits)
  const batches = items.flatMap((item) => packer.add(item, sizeOf(item)))
  return [...batches, ...packer.rest()]
}

/** English prose has some four characters a token; markdown, names and numbers have fewer. */
const charactersPerToken = 3.5

/** What lies beyond ASCII has some two bytes a token more than its characters tell. */
const extraBytesPerToken = 2

/** Tokens of a text, guessed from its length and bytes: rather too many than too few. */
export const guessTokens = (characters: number, bytes: number): number =>
  1 + characters / charactersPerToken + (bytes - characters) / extraBytesPerToken
