import type { Doorkeeper } from '@almanac/shared'

/**
 * What was found out about a text, for as long as the text is often seen. Bounded: when the younger
 * half is full, the older one is forgotten, except what was asked for meanwhile.
 */
export type Familiar<T> = {
  readonly get: (text: string) => T | undefined
  readonly set: (text: string, value: T) => void
  readonly count: () => number
}

/** With a doorkeeper a text is strange until it was set a second time. */
export function createFamiliar<T>(
  { entriesMax, charactersMax }: { readonly entriesMax: number; readonly charactersMax: number },
  doorkeeper?: Doorkeeper,
): Familiar<T> {
  let younger = new Map<string, T>()
  let older = new Map<string, T>()
  const keep = (text: string, value: T) => {
    if (younger.size >= Math.ceil(entriesMax / 2)) {
      older = younger
      younger = new Map()
    }
    younger.set(text, value)
  }
  return {
    get: (text) => {
      const found = younger.get(text)
      if (found !== undefined) return found
      const old = older.get(text)
      if (old === undefined) return undefined
      older.delete(text)
      keep(text, old)
      return old
    },
    set: (text, value) => {
      if (entriesMax === 0 || text.length > charactersMax) return
      if (doorkeeper === undefined || doorkeeper.knows(text)) keep(text, value)
    },
    count: () => younger.size + older.size,
  }
}
