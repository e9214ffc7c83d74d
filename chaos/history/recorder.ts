import type { Asked, Entry, Outcome } from './entry.ts'

/** Keeps entries in memory; a few hundred bytes each, since bodies are kept as digests. */
export type Recorder = {
  readonly entries: readonly Entry[]
  /** Told of each entry when its outcome is known. */
  readonly onEntry: (listener: (entry: Entry) => void) => void
  readonly begin: (sent: Pick<Entry, 'client' | 'broker'> & { readonly asked: Asked }) => Begun
}

/** A request under way. */
type Begun = { readonly end: (outcome: Outcome) => Entry }

/** An hour of three hundred requests a second; longer runs check and forget in between. */
const entriesKept = 1_200_000

export function createRecorder(
  nowMs: () => number = () => performance.now(),
  entriesMax = entriesKept,
): Recorder {
  const entries: Entry[] = []
  const listeners: ((entry: Entry) => void)[] = []
  let sent = 0
  return {
    entries,
    onEntry: (listener) => {
      listeners.push(listener)
    },
    begin: ({ client, broker, asked }) => {
      const number = sent
      sent += 1
      const sentMs = nowMs()
      return {
        end: (outcome) => {
          const entry = { number, client, broker, asked, sentMs, doneMs: nowMs(), outcome }
          if (entries.length >= entriesMax)
            throw new Error(`a history of more than ${entriesMax} entries: check it in parts`)
          entries.push(entry)
          for (const listener of listeners) listener(entry)
          return entry
        },
      }
    },
  }
}
