import { seededRandom } from '@almanac/shared'
import { Chance } from './chance.ts'
import type { Request } from './plan.ts'

/**
 * Fits of all data that a model of many series has, which came in parts, in some of the schedules:
 * asked for by clients, or begun by a rule since its news were badly foreseen. They are drawn
 * apart, so that the rest of a schedule is what it was before there were any.
 */
export function drawRefits(seed: number, brokers: readonly string[], safetyMs: number): Request[] {
  const chance = new Chance(seededRandom(seed ^ 0x2ef17))
  if (!chance.is(share)) return []
  const requests: Request[] = []
  const fitOf = (value: number, atMs: number, own: Partial<FitRequest>) =>
    requests.push({
      ...{ kind: 'fit', atMs, broker: chance.one(brokers), model: refitModel, value },
      ms: chance.is(0.3) ? chance.between(500, 2_000) : chance.between(5, 200),
      ...{ end: 'fitted', key: `refit-${value}`, ...own },
    })
  const shards = () => chance.between(1, 4)
  const joins = chance.is(0.06) ? { joins: 'crashed' as const } : {}
  const table = chance.is(0.2) ? { table: 'series' as const } : {}
  fitOf(301, 100, { ms: chance.between(5, 300), shards: shards(), ...joins, ...table })
  const at = () => chance.between(800, safetyMs - 500)
  if (chance.is(0.2)) fitOf(302, at(), { shards: shards() })
  for (let i = 0, count = chance.between(1, 4); i < count; i += 1) {
    const liveMase = chance.is(0.6) ? 3 : 0.5
    fitOf(331 + i, at(), { adds: chance.one(keys), liveMase })
  }
  for (let i = 0, count = chance.between(1, 3); i < count; i += 1)
    fitOf(351 + i, at(), { refit: true, key: chance.is(0.6) ? `refit-${351 + i}` : null })
  requests.push(...drawJobRequests(chance, requests.filter(isFit), brokers, safetyMs))
  if (chance.is(0.6)) requests.push(drawRule(chance, brokers))
  for (let i = 0; i < chance.between(3, 6); i += 1)
    requests.push({
      ...{ kind: 'forecast', atMs: at(), broker: chance.one(brokers), model: refitModel },
      ...{ horizon: chance.between(1, 5), version: 'serving', series: 's=0.0', patienceMs: null },
    })
  return requests
}

/** Of all schedules. */
const share = 0.04

type FitRequest = Extract<Request, { kind: 'fit' }>

const isFit = (request: Request): request is FitRequest => request.kind === 'fit'

const refitModel = 'refit'
const keys = ['s=0.0', 's=1.0', 's=1.1', 's=2.2', 's=4.2', 's=9.0']

/** Cancels and retries, most of them of refits, which are long on their way. */
function drawJobRequests(
  chance: Chance,
  fits: readonly FitRequest[],
  brokers: readonly string[],
  safetyMs: number,
): Request[] {
  const refits = fits.filter(({ refit }) => refit)
  return (['cancel', 'cancel', 'retry', 'retry'] as const).flatMap((kind) => {
    if (!chance.is(0.4)) return []
    const { value, model, atMs, ms } = chance.one(chance.is(0.7) ? refits : fits)
    const soonMs =
      atMs + (kind === 'cancel' ? chance.between(1, 2 * ms) : chance.between(50, 4_000))
    const when = Math.min(safetyMs - 300, soonMs)
    return [{ kind, atMs: when, broker: chance.one(brokers), model, value }]
  })
}

function drawRule(chance: Chance, brokers: readonly string[]): Request {
  return {
    ...{ kind: 'rule', broker: chance.one(brokers), model: refitModel, liveMase: 1 },
    // There is a model by then, unless something went wrong.
    atMs: chance.between(600, 4_000),
    observations: chance.between(1, 8),
    restSeconds: chance.is(0.7) ? 0 : 3_600,
  }
}
