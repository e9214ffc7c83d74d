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

type Shared<T> = { readonly outcome: Promise<T>; readonly cancel: Cancel; passengers: number }

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
  return {
    join: (name, start) => {
      let flight = flights.get(name)
      if (flight === undefined) {
        const cancel: Cancel = { isCancelled: false, onCancel: undefined }
        const begun: Shared<T> = { outcome: start(cancel), cancel, passengers: 0 }
        flights.set(name, begun)
        const land = () => {
          if (flights.get(name) === begun) flights.delete(name)
        }
        begun.outcome.then(land, land)
        flight = begun
      }
      const joined = flight
      joined.passengers += 1
      return {
        outcome: joined.outcome,
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
