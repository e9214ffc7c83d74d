/**
 * Messages that others leave for the cluster, in the order in which they were left. Each is given
 * to its handler until that has an answer, and only then counts as consumed: at least once, so that
 * whoever handles it must make doing it twice harmless. Methods reject with `Unavailable` when the
 * place of messages cannot be reached or is late, and with the signal's reason when the caller gave
 * up; what they did is then unknown.
 */
export interface Messages {
  /** Where they are, for people. */
  readonly place: string
  /** The largest message that is taken. */
  readonly bytesMax: number
  /** Durable when it resolves. `TooLarge` above the size that is taken. */
  publish(value: Uint8Array, signal: AbortSignal): Promise<Origin>
  /**
   * Gives messages to the handler, one at a time of a partition, from the first that was not
   * consumed. Once a port. What the handler throws passes: the message is given to it again after
   * a while, and none that comes after it in its partition before that.
   */
  consume(handle: Handle): Consuming
  /** What is known of them without asking anybody. */
  look(): MessagesLook
  /**
   * Those that could not be used, newest first, before `before`. Undefined where they are kept for
   * other tools to read: `deadLetterPlace` says where.
   */
  deadLetters(asked: DeadLettersAsked, signal: AbortSignal): Promise<DeadLettersPage | undefined>
  readonly deadLetterPlace: string
  /** Ends what is under way. What was not consumed is given again after the next start. */
  close(): Promise<void>
}

/** Where a message lies: no two have the same. */
export type Origin = {
  readonly topic: string
  readonly partition: number
  /** A whole number, larger than those before it in its partition. */
  readonly offset: string
}

export type Message = {
  readonly origin: Origin
  /** When it was left, ISO 8601. */
  readonly at: string
  readonly value: Uint8Array
}

/** The signal aborts when the consumer is to stop, so that nobody goes on waiting. */
export type Handle = (message: Message, signal: AbortSignal) => Promise<Handled>

/** A message that cannot be used is a dead letter: kept with the reason, and then consumed. */
export type Handled =
  | { readonly kind: 'done' }
  | { readonly kind: 'dead'; readonly reason: DeadReason }

export type DeadReason = {
  /** Stable, for programs. */
  readonly code: string
  readonly detail: string
  /** A JSON pointer into the message. */
  readonly field?: string | undefined
  readonly remedy?: string | undefined
}

export type Consuming = {
  /** No more messages; the one in hand is finished, if that does not take long. */
  readonly stop: () => Promise<void>
}

export type MessagesLook = {
  readonly isAvailable: boolean
  /** Messages that are not consumed, as far as this process sees them; null: unknown. */
  readonly waiting: number | null
  /** Since the start of the process: consumed, of these dead letters, and given again. */
  readonly handled: number
  readonly buried: number
  readonly held: number
}

export type DeadLetter = {
  readonly origin: Origin
  readonly at: string
  readonly buriedAt: string
  readonly reason: DeadReason
  readonly sizeBytes: number
  /** Empty where it was too large, and no more than the beginning of a long one. */
  readonly value: Uint8Array
}

export type DeadLettersAsked = { readonly before: string | null; readonly limit: number }

export type DeadLettersPage = {
  readonly letters: readonly DeadLetter[]
  /** What the next page comes before; null on the last one. */
  readonly next: string | null
}
