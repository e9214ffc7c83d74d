import type { Answered, Asked, Entry, Outcome } from '../../history/entry.ts'
import type { LogSeen, Records } from '../../history/records.ts'
import { brokenPromises } from '../../invariants/check.ts'
import type { Disturbance, Weather } from '../../invariants/disturbance.ts'

/** A short history of one model, written by hand, in which every promise is kept. */
export type Story = {
  entries: Entry[]
  records: Records
  weather: Weather
}

const plain: Answered = {
  kind: 'answered',
  status: 200,
  version: null,
  changes: null,
  digest: '',
  pointsDigest: '',
  retryAfter: false,
  job: null,
  word: '',
  detail: '',
}

let number = 0

export const entry = (
  [sentMs, doneMs]: readonly [number, number],
  asked: Asked,
  outcome: Partial<Answered> | Exclude<Outcome, Answered> = {},
  broker = 'broker-1',
): Entry => ({
  number: number++,
  client: 'client-1',
  broker,
  asked,
  sentMs,
  doneMs,
  outcome:
    outcome.kind === 'unknown' || outcome.kind === 'unreached' ? outcome : { ...plain, ...outcome },
})

export const forecast = (
  at: readonly [number, number],
  version: number,
  more: { asked?: Partial<Extract<Asked, { kind: 'forecast' }>>; answer?: Partial<Answered> } = {},
  broker?: string,
): Entry =>
  entry(
    at,
    {
      kind: 'forecast',
      model: 'm',
      horizon: 3,
      level: '',
      version: null,
      atLeast: null,
      ...more.asked,
    },
    {
      version,
      digest: `whole of ${version}`,
      pointsDigest: `points of small-${version}`,
      ...more.answer,
    },
    broker,
  )

export const fitted = (
  at: readonly [number, number],
  version: number,
  more: { key?: string; answer?: Partial<Answered> } = {},
  broker?: string,
): Entry =>
  entry(
    at,
    {
      kind: 'fit',
      model: 'm',
      data: `small-${version}`,
      key: more.key ?? null,
      respondAsync: false,
    },
    { version, job: `job-${version}`, word: 'serving', ...more.answer },
    broker,
  )

export const unknown = { kind: 'unknown', why: 'other side closed' } as const

/** Versions 1, 2 and 3 are fitted; 3 is rolled back to 2; 4 is fitted after the release. */
export function goodStory(): Story {
  const log: readonly LogSeen[] = [
    { n: 1, from: null, to: 1, why: 'fit' },
    { n: 2, from: 1, to: 2, why: 'fit' },
    { n: 3, from: 2, to: 3, why: 'fit' },
    { n: 4, from: 3, to: 2, why: 'rollback' },
    { n: 5, from: 2, to: 4, why: 'fit' },
  ]
  const states = ['retired', 'retired', 'retired', 'serving']
  return {
    entries: [
      fitted([0, 10], 1),
      forecast([20, 25], 1),
      fitted([30, 50], 2, { key: 'k' }),
      // Repeated under its key, at another broker.
      fitted([52, 55], 2, { key: 'k' }, 'broker-2'),
      // Sent before 2 served, answered after it.
      forecast([40, 60], 1),
      forecast([61, 65], 2),
      fitted([70, 90], 3),
      forecast([91, 95], 3),
      entry([100, 110], { kind: 'rollback', model: 'm', version: 2 }, { version: 2 }),
      forecast([111, 115], 2),
      // The other broker hears of it later.
      forecast([111, 116], 3, {}, 'broker-2'),
      entry([120, 125], { kind: 'release', model: 'm' }, { version: 2 }),
      fitted([130, 150], 4),
      forecast([151, 155], 4),
      forecast([160, 170], 4, { asked: { version: 4 } }),
      forecast([171, 175], 1, { asked: { version: 1 } }),
    ],
    records: {
      models: [{ model: 'm', serving: 4, target: 4, hold: false }],
      versions: new Map([
        [
          'm',
          states
            .map((state, i) => ({ version: i + 1, state, job: `job-${i + 1}`, error: null }))
            .reverse(),
        ],
      ]),
      logs: new Map([['m', log]]),
      jobs: [1, 2, 3, 4].map((version) => ({
        id: `job-${version}`,
        model: 'm',
        version,
        state: 'done',
        attempts: 1,
      })),
    },
    weather: { brokers: ['broker-1', 'broker-2'], nodes: ['node-1', 'node-2'], disturbances: [] },
  }
}

export const down = (part: string, fromMs: number, toMs: number): Disturbance => ({
  kind: 'down',
  part,
  fromMs,
  toMs,
})

export const cut = (from: string, to: string, fromMs: number, toMs: number): Disturbance => ({
  kind: 'link',
  from,
  to,
  fromMs,
  toMs,
})

/** The good story with some things changed, and what is then found. */
export function promisesBrokenBy(change: (story: Story) => void): string[] {
  const story = goodStory()
  change(story)
  return brokenPromises({
    ...story,
    expected: ({ data }) => `points of ${data}`,
    wellWithinMs: 10_000,
  })
}
