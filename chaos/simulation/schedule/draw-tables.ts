import { seededRandom } from '@almanac/shared'
import { Chance } from './chance.ts'
import type { Request } from './plan.ts'

/**
 * Fits of tables, what is done to their jobs, and backtests, in some of the schedules. They are
 * drawn apart, so that the rest of a schedule is what it was before there were any.
 */
export function drawTables(seed: number, brokers: readonly string[], safetyMs: number): Request[] {
  const chance = new Chance(seededRandom(seed ^ 0x7ab1e))
  if (!chance.is(share)) return []
  const at = (fromMs: number) => chance.between(fromMs, safetyMs - 500)
  const requests: Request[] = []
  const addFit = (value: number, own: TableFit, place = 1) => {
    // The first early, so that there is something to judge and to add to.
    const atMs = place === 0 ? 100 : at(200)
    requests.push({
      ...{ kind: 'fit', atMs, broker: chance.one(brokers), value },
      ms: chance.is(0.4) ? chance.between(500, 2_500) : chance.between(20, 300),
      end: chance.is(0.06) ? 'refused' : chance.is(0.06) ? 'crashed' : 'fitted',
      key: chance.is(0.6) ? `table-${value}` : null,
      ...own,
    })
  }
  const fits = chance.between(1, 3)
  for (let i = 0; i < fits; i += 1)
    addFit(201 + i, { model: tableModel, table: 'series', shards: chance.between(1, 5) }, i)
  if (chance.is(0.4)) addFit(231, { model: 'rows', table: 'rows' })
  if (chance.is(0.4)) {
    addFit(241, { model: tableModel, adds: chance.one(keys) })
    // Repeated: what they go on from may be under way.
    requests.push({ ...(requests.pop() as FitRequest), end: 'fitted', key: 'table-news' })
  }
  const begun = requests.filter((request): request is FitRequest => request.kind === 'fit')
  for (const kind of ['cancel', 'retry', 'cancel', 'retry'] as const) {
    if (!chance.is(0.35)) continue
    const { value, model, atMs, ms } = chance.one(begun)
    const soonMs = Math.min(safetyMs - 300, atMs + chance.between(1, 2 * ms))
    const when = kind === 'cancel' && chance.is(0.8) ? soonMs : at(1_000)
    requests.push({ kind, atMs: when, broker: chance.one(brokers), model, value })
  }
  for (let i = 0, count = chance.between(0, 2); i < count; i += 1)
    requests.push({
      ...{ kind: 'backtest', atMs: at(2_000), broker: chance.one(brokers), model: tableModel },
      mode: chance.one(['refit', 'update'] as const),
    })
  for (let i = 0; i < chance.between(3, 8); i += 1)
    requests.push({
      ...{ kind: 'forecast', atMs: at(300), broker: chance.one(brokers), model: tableModel },
      ...{ horizon: chance.between(1, 5), version: 'serving', series: chance.one(keys) },
      patienceMs: null,
    })
  return requests
}

/** Of all schedules. */
const share = 0.05

type FitRequest = Extract<Request, { kind: 'fit' }>
type TableFit = Pick<FitRequest, 'model' | 'table' | 'shards' | 'adds'>

const tableModel = 'table'
const keys = ['s=0.0', 's=1.0', 's=1.1', 's=4.2']
