import { seededRandom } from '@almanac/shared'
import { Chance } from './chance.ts'
import type { Plan, Request } from './plan.ts'

type ScheduleRequest = Extract<Request, { kind: 'schedule' }>
type Drawn = Pick<Plan, 'minuteInMs' | 'requests'>

/**
 * What is begun every minute, in some of the schedules, in which a minute then begins. They are
 * drawn apart, so that the rest of a schedule is what it was before there were any.
 */
export function drawSchedules(seed: number, brokers: readonly string[], safetyMs: number): Drawn {
  const chance = new Chance(seededRandom(seed ^ 0x5c4ed))
  if (!chance.is(share)) return { requests: [] }
  const minuteInMs = chance.between(1_500, safetyMs - 500)
  const isMany = chance.is(0.7)
  const requests: Request[] = [
    {
      ...{ kind: 'fit', atMs: 100, broker: chance.one(brokers), model: scheduledModel },
      ...{ value: 401, ms: chance.between(5, 300), end: 'fitted', key: 'scheduled' },
      ...(isMany ? { shards: chance.between(1, 3) } : {}),
    },
  ]
  for (let i = 0, count = chance.between(1, 3); i < count; i += 1) {
    const schedule: ScheduleRequest = {
      ...{ kind: 'schedule', name: `minutely-${i}`, broker: chance.one(brokers) },
      ...{ atMs: chance.between(300, minuteInMs), model: scheduledModel, enabled: true },
      action: isMany && chance.is(0.4) ? 'backtest' : 'refit',
    }
    requests.push(schedule)
    // Changed about when it is due, or said once more.
    if (!chance.is(0.3)) continue
    const laterMs = Math.max(schedule.atMs + 1, minuteInMs + chance.between(-1_000, 3_000))
    const broker = chance.one(brokers)
    requests.push({ ...schedule, atMs: laterMs, broker, enabled: chance.is(0.5) })
  }
  return { minuteInMs, requests }
}

/** Of all schedules. */
const share = 0.03

const scheduledModel = 'scheduled'
