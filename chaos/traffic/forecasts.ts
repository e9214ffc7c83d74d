import type { Random } from '@almanac/shared'
import { openLoop } from '../../e2e/support/open-loop.ts'
import type { Asked } from '../history/entry.ts'
import type { Client } from './client.ts'

export type Stream = {
  /** Ends it after the last answer. */
  readonly stop: () => Promise<void>
}

export type StreamOptions = {
  readonly clients: readonly Client[]
  readonly models: readonly string[]
  readonly perSecond: number
  readonly random: Random
  /** A version of the model that is known to be there; undefined: none is. */
  readonly knownVersion: (model: string) => number | undefined
  /** Whether `at_least` may be asked of it: versions of it never go back. */
  readonly onlyGrows: (model: string) => boolean
}

const horizons = [1, 7, 30, 100, 365] as const
/** Most requests ask what serves; of those two in three ask what no cache has. */
const pinnedShare = 0.03
const atLeastShare = 0.03
const newShare = 2 / 3
/** Of all requests: they look at the model itself. */
const lookShare = 0.02

/** A steady stream of forecasts and a few looks. */
export function startForecasts(options: StreamOptions): Stream {
  const { clients, perSecond, random } = options
  return openLoop(perSecond, async () => {
    const client = clients[Math.floor(random() * clients.length)]!
    return await client.send(nextAsked(options))
  })
}

function nextAsked({ models, random, knownVersion, onlyGrows }: StreamOptions): Asked {
  const model = models[Math.floor(random() * models.length)]!
  if (random() < lookShare) return { kind: 'look', model }
  const horizon = horizons[Math.floor(random() * horizons.length)]!
  const level = random() < newShare ? (50 + random() * 49).toFixed(4) : ''
  const dice = random()
  const known = knownVersion(model)
  const version = dice < pinnedShare ? (known ?? null) : null
  const wantsNewest = dice >= pinnedShare && dice < pinnedShare + atLeastShare && onlyGrows(model)
  const atLeast = wantsNewest ? (known ?? null) : null
  return { kind: 'forecast', model, horizon, level, version, atLeast }
}
