import { assert } from '@almanac/shared'

/** One question under way, shared by all who ask it at the same time. */
export type Flight<T> = {
  readonly outcome: Promise<T>
  /** Somebody no longer waits; when nobody does, what is under way is cancelled. */
  readonly leave: () => void
}

export type Flights<T> = {
  /** Joins the flight of this name, or starts it. */
  readonly join: (name: string, start: (cancelled: Cancel) => Promise<T>) => Flight<T>
  readonly count: () => number
}

/** Tells the one request under way, if any, that nobody waits for it. */
export type Cancel = {
  isCancelled: boolean
  /** Set by whoever has something to stop. */
  onCancel: (() => void) | undefined
}

/** Without an outcome once it has landed: nobody joins it any more. */
type Shared<T> = { outcome: Promise<T> | undefined; readonly cancel: Cancel; passengers: number }

/** Something under way that nobody shares. */
export function flyAlone<T>(start: (cancelled: Cancel) => Promise<T>): Flight<T> {
  const cancel: Cancel = { isCancelled: false, onCancel: undefined }
  return {
    outcome: start(cancel),
    leave: () => {
      cancel.isCancelled = true
      cancel.onCancel?.()
    },
  }
}

export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Shared<T>>()
  const begin = (name: string, start: (cancelled: Cancel) => Promise<T>) => {
    const cancel: Cancel = { isCancelled: false, onCancel: undefined }
    const outcome = start(cancel)
    const begun: Shared<T> = { outcome, cancel, passengers: 0 }
    flights.set(name, begun)
    const land = () => {
      if (flights.get(name) === begun) flights.delete(name)
      // What has left a map may live on in it: docs/decisions/garbage.md, "Maps".
      begun.outcome = undefined
    }
    outcome.then(land, land)
    return begun
  }
  return {
    join: (name, start) => {
      const joined = flights.get(name) ?? begin(name, start)
      const { outcome } = joined
      assert(outcome, 'a flight leaves the map as it lands')
      joined.passengers += 1
      return {
        outcome,
        leave: () => {
          joined.passengers -= 1
          if (joined.passengers > 0) return
          joined.cancel.isCancelled = true
          if (flights.get(name) === joined) flights.delete(name)
          joined.cancel.onCancel?.()
        },
      }
    },
    count: () => flights.size,
  }
}
