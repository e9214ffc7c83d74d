import { seededRandom } from '@almanac/shared'
import { Chance } from './chance.ts'
import { drawRefits } from './draw-refits.ts'
import { drawSchedules } from './draw-schedules.ts'
import { drawTables } from './draw-tables.ts'
import type { Fault, Plan, Request } from './plan.ts'

/** The schedule of a seed. */
export function planOf(seed: number): Plan {
  const chance = new Chance(seededRandom(seed))
  const safetyMs = chance.between(6_000, 18_000)
  const brokers = chance.between(1, 2)
  const nodes = chance.between(2, 3)
  const places = { brokers: names('broker', brokers), nodes: names('node', nodes) }
  const models = chance.is(0.7) ? ['a'] : ['a', 'b']
  const requests = drawRequests(chance, places.brokers, models, safetyMs)
  const values = requests.flatMap((request) => (request.kind === 'fit' ? [request.value] : []))
  const faults = drawFaults(chance, places, values, safetyMs)
  const wide = drawWide(seed, places.brokers, safetyMs)
  const refits = drawRefits(seed, places.brokers, safetyMs)
  const { minuteInMs, requests: scheduled } = drawSchedules(seed, places.brokers, safetyMs)
  const tables = drawTables(seed, places.brokers, safetyMs)
  const all = [...requests, ...wide, ...tables, ...refits, ...scheduled]
  all.sort((a, b) => a.atMs - b.atMs)
  const plan = { seed, brokers, nodes, safetyMs, requests: all, faults }
  return minuteInMs === undefined ? plan : { ...plan, minuteInMs }
}

/**
 * Fits of many series, forecasts and new observations of them, in some of the schedules. They are
 * drawn apart, so that the rest of a schedule is what it was before there were any.
 */
function drawWide(seed: number, brokers: readonly string[], safetyMs: number): Request[] {
  const chance = new Chance(seededRandom(seed ^ 0x5eed))
  if (!chance.is(0.05)) return []
  const requests: Request[] = []
  for (let i = 0; i < chance.between(1, 2); i += 1)
    requests.push({
      ...drawWideFit(chance, brokers, { fromMs: 100, untilMs: safetyMs - 500, value: 101 + i }),
      key: chance.is(0.6) ? `wide-${i}` : null,
      shards: chance.between(1, 5),
    })
  for (let i = 0; i < chance.between(3, 10); i += 1)
    requests.push({
      kind: 'forecast',
      atMs: chance.between(300, safetyMs),
      broker: chance.one(brokers),
      model: wideModel,
      horizon: chance.between(1, 5),
      version: 'serving',
      series: chance.one(wideKeys),
      patienceMs: null,
    })
  for (let i = 0, count = chance.between(0, 2); i < count; i += 1)
    requests.push({
      ...drawWideFit(chance, brokers, { fromMs: 500, untilMs: safetyMs - 500, value: 151 + i }),
      // Repeated: what they go on from may be under way.
      key: `wide-news-${i}`,
      adds: chance.one(wideKeys),
    })
  return requests
}

const wideKeys = ['s=0.0', 's=1.0', 's=1.1', 's=4.2']

/** What a fit of many series and an update of them have in common. */
function drawWideFit(
  chance: Chance,
  brokers: readonly string[],
  { fromMs, untilMs, value }: { fromMs: number; untilMs: number; value: number },
) {
  return {
    kind: 'fit',
    atMs: chance.between(fromMs, untilMs),
    broker: chance.one(brokers),
    model: wideModel,
    value,
    ms: chance.is(0.3) ? chance.between(500, 2_500) : chance.between(5, 200),
    end: 'fitted',
  } as const
}

const wideModel = 'wide'

type Places = { readonly brokers: readonly string[]; readonly nodes: readonly string[] }

const names = (kind: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${kind}-${i}`)

function drawRequests(
  chance: Chance,
  brokers: readonly string[],
  models: readonly string[],
  safetyMs: number,
): Request[] {
  const requests: Request[] = []
  const fits = chance.between(2, 6)
  for (let i = 0; i < fits; i += 1) {
    const end = chance.is(0.06) ? 'refused' : chance.is(0.04) ? 'crashed' : 'fitted'
    const beforeMs = requests.at(-1)?.atMs ?? 0
    const isRace = i > 1 && chance.is(0.3)
    requests.push({
      kind: 'fit',
      // The first early, so that there is something to ask for; some at the same time.
      atMs: i === 0 ? 100 : isRace ? beforeMs : chance.between(200, safetyMs - 500),
      broker: chance.one(brokers),
      model: i === 0 ? models[0]! : chance.one(models),
      value: 11 + i,
      ms: chance.is(0.2) ? chance.between(500, 3_000) : chance.between(5, 300),
      end: i === 0 ? 'fitted' : end,
      key: chance.is(0.4) ? `key-${i}` : null,
    })
  }
  const forecasts = chance.between(20, 40)
  for (let i = 0; i < forecasts; i += 1)
    requests.push(drawForecast(chance, brokers, models, safetyMs))
  const changes = chance.is(0.5) ? chance.between(1, 3) : 0
  for (let i = 0; i < changes; i += 1) {
    const kind = chance.is(0.55) ? 'rollback' : chance.is(0.7) ? 'release' : 'delete'
    const fit = chance.one(requests.slice(0, fits))
    // Much of what may go wrong is a matter of milliseconds after a fit.
    const soonMs = Math.min(safetyMs - 300, fit.atMs + chance.between(1, 400))
    const atMs = chance.is(0.6) ? soonMs : chance.between(1_500, safetyMs - 300)
    requests.push({ kind, atMs, broker: chance.one(brokers), model: chance.one(models) })
  }
  return requests.sort((a, b) => a.atMs - b.atMs)
}

function drawForecast(
  chance: Chance,
  brokers: readonly string[],
  models: readonly string[],
  safetyMs: number,
): Request {
  const other = chance.is(0.5) ? chance.between(1, 6) : chance.one(['latest', 'previous'] as const)
  return {
    kind: 'forecast',
    atMs: chance.between(150, safetyMs),
    broker: chance.one(brokers),
    model: chance.one(models),
    horizon: chance.between(1, 9),
    version: chance.is(0.85) ? 'serving' : other,
    patienceMs: chance.is(0.12) ? chance.between(1, 2_000) : null,
  }
}

function drawFaults(
  chance: Chance,
  places: Places,
  values: readonly number[],
  safetyMs: number,
): Fault[] {
  const faults: Fault[] = []
  const count = chance.is(0.08) ? 0 : chance.between(1, 7)
  for (let i = 0; i < count; i += 1) faults.push(...drawFault(chance, places, values, safetyMs))
  return faults.sort((a, b) => a.atMs - b.atMs)
}

const halfOpenMs = 14_000

function drawFault(
  chance: Chance,
  { brokers, nodes }: Places,
  values: readonly number[],
  safetyMs: number,
): Fault[] {
  const atMs = chance.between(0, safetyMs - 500)
  const forMs = chance.is(0.3) ? chance.between(8_000, 16_000) : chance.between(50, 4_000)
  const lasting = { atMs, forMs }
  const who = chance.one([...brokers, ...nodes])
  const pair = (): readonly [string, string] => {
    if (chance.is(0.35)) return [chance.one(brokers), chance.one(nodes)]
    return chance.is(0.6) ? [who, 'etcd'] : [chance.one(nodes), 'store']
  }
  const way = () => {
    const [a, b] = pair()
    return chance.is(0.5) ? { from: a, to: b } : { from: b, to: a }
  }
  const roll = chance.between(1, 100)
  if (roll <= 20) return [{ kind: 'crash', ...lasting, who }]
  if (roll <= 32) return [{ kind: 'pause', ...lasting, who }]
  if (roll <= 38) return [{ kind: 'drain', ...lasting, who }]
  if (roll <= 48) {
    const [from, to] = pair()
    return [
      { kind: 'cut', ...lasting, from, to },
      { kind: 'cut', ...lasting, from: to, to: from },
    ]
  }
  if (roll <= 58) return [{ kind: 'cut', ...lasting, ...way() }]
  if (roll <= 63) return [{ kind: 'slow', ...lasting, ...way(), ms: chance.between(20, 600) }]
  if (roll <= 72) return [{ kind: 'lose', ...lasting, ...way(), share: chance.between(1, 9) / 10 }]
  if (roll <= 76) return [{ kind: 'etcd-away', ...lasting }]
  if (roll <= 79) return [{ kind: 'etcd-silent', ...lasting }]
  if (roll <= 83) return [{ kind: 'store-away', ...lasting }]
  if (roll <= 86) return [{ kind: 'leases-lost', atMs, share: chance.is(0.5) ? 1 : 0.4 }]
  if (roll <= 91) return [{ kind: 'compaction', atMs }]
  if (roll <= 94) return [{ kind: 'streams-broken', atMs, who }]
  // Found out by 20 s of silence: early, so that it is over soon after the other faults.
  if (roll <= 95 && safetyMs > halfOpenMs)
    return [{ kind: 'streams-forgotten', atMs: chance.between(0, safetyMs - halfOpenMs), who }]
  if (roll <= 96) return [{ kind: 'clock-jump', atMs, who, ms: chance.between(-9e6, 9e6) }]
  const how = chance.one(['flip', 'truncate', 'lose'] as const)
  return [{ kind: 'damage', atMs: 0, value: chance.one(values), how }]
}
