import { describe, expect, test } from 'vitest'
import type { Answered, Entry } from '../../history/entry.ts'
import type { VersionSeen } from '../../history/records.ts'
import {
  cut,
  down,
  entry,
  fitted,
  forecast,
  promisesBrokenBy,
  type Story,
  unknown,
} from './story.ts'

/** The names of the promises that are found broken. */
const found = (change: (story: Story) => void) => [
  ...new Set(promisesBrokenBy(change).map((line) => line.split(':')[0])),
]

const setVersion = (story: Story, version: number, change: Partial<VersionSeen>) => {
  const all = story.records.versions.get('m')!.map((each) => {
    return each.version === version ? { ...each, ...change } : each
  })
  story.records = { ...story.records, versions: new Map([['m', all]]) }
}
const setWeather = (story: Story, ...disturbances: Story['weather']['disturbances']) => {
  story.weather = { ...story.weather, disturbances }
}
const refused = (status: number, more: Partial<Answered> = {}) => ({
  answer: { status, version: null, digest: '', pointsDigest: '', retryAfter: true, ...more },
})
const absent = { kind: 'answered', changes: null, job: null, word: '', detail: '' } as const
/** Fails without an answer. */
const broken = (at: readonly [number, number]): Entry => ({
  ...forecast(at, 4),
  outcome: unknown,
})

test('a history in which every promise is kept breaks none', () => {
  expect(promisesBrokenBy(() => {})).toEqual([])
})

describe('fits', () => {
  test('one without a trace is lost', () => {
    const forget = (story: Story) => {
      const left = story.records.versions.get('m')!.filter(({ version }) => version !== 3)
      story.records = { ...story.records, versions: new Map([['m', left]]) }
    }
    expect(found(forget)).toEqual(['lost fit'])
  })

  test('one that never ends is lost, and so is one that failed through no fault of its data', () => {
    expect(found((story) => setVersion(story, 3, { state: 'queued' }))).toEqual(['lost fit'])
    for (const [phase, reason] of [
      ['fit', 'attempts-exhausted'],
      ['rollout', 'deadline'],
    ] as const) {
      const error = { phase, reason, detail: '' }
      const failed = (story: Story) => setVersion(story, 3, { state: 'failed', error })
      expect(found(failed), reason).toEqual(['lost fit'])
    }
  })

  test('one that failed for its data is not lost, and nor is one of a deleted model', () => {
    const error = { phase: 'fit', reason: 'too-short', detail: '' }
    expect(found((story) => setVersion(story, 3, { state: 'failed', error }))).toEqual([])
    const remove = (story: Story) => {
      story.entries.push(entry([900, 901], { kind: 'delete', model: 'm' }, { version: 4 }))
      story.records = { models: [], versions: new Map(), logs: new Map(), jobs: [] }
    }
    expect(found(remove)).toEqual([])
  })

  test('a job that says something else than its version is noticed', () => {
    const contradict = (story: Story) => {
      const jobs = story.records.jobs.map((job) =>
        job.version === 3 ? { ...job, state: 'failed' } : job,
      )
      story.records = { ...story.records, jobs }
    }
    expect(found(contradict)).toEqual(['lost fit'])
  })

  test('a version that two fits have is noticed, in answers and in records', () => {
    const answer = { job: 'job-9', word: 'superseded' }
    expect(found((story) => story.entries.push(fitted([69, 160], 4, { answer })))).toContain(
      'version given twice',
    )
    const twice = (story: Story) => {
      const jobs = [...story.records.jobs, { ...story.records.jobs[0]!, id: 'job-9' }]
      story.records = { ...story.records, jobs }
    }
    expect(found(twice)).toEqual(['version given twice'])
  })

  test('a key that leads to two fits is noticed', () => {
    const again = fitted([31, 150], 4, { key: 'k', answer: { word: 'superseded' } })
    expect(found((story) => story.entries.push(again))).toContain('version given twice')
  })

  test('a version that is lower than one that was told before is noticed', () => {
    const late = (story: Story) => {
      story.entries[0] = fitted([200, 210], 1, { answer: { word: 'superseded' } })
    }
    expect(found(late)).toContain('version given out of order')
  })
})

describe('what serves', () => {
  test('a log with a gap, a jump or a step back is noticed', () => {
    const without = (n: number) => (story: Story) => {
      const log = story.records.logs.get('m')!.filter((each) => each.n !== n)
      story.records = { ...story.records, logs: new Map([['m', log]]) }
    }
    expect(found(without(1))).toContain('broken log')
    const asFit = (story: Story) => {
      const log = story.records.logs.get('m')!.map((each) => ({ ...each, why: 'fit' }))
      story.records = { ...story.records, logs: new Map([['m', log]]) }
    }
    expect(found(asFit)).toEqual(['broken log'])
    const other = (story: Story) => {
      const models = [{ model: 'm', serving: 3, target: 3, hold: false }]
      story.records = { ...story.records, models }
    }
    expect(found(other)).toEqual(['broken log'])
  })

  test('an answer from the past is noticed, at the same broker only', () => {
    expect(found((story) => story.entries.push(forecast([89, 99], 2)))).toEqual([])
    expect(found((story) => story.entries.push(forecast([96, 99], 2)))).toEqual(['step back'])
    expect(found((story) => story.entries.push(forecast([96, 99], 2, {}, 'broker-2')))).toEqual([])
  })

  test('a version that answers before anybody asked for it is noticed', () => {
    const early = (story: Story) => story.entries.push(forecast([120, 129], 4))
    expect(found(early)).toContain('step back')
    const firstAt = (sentMs: number, key: string) => (story: Story) => {
      early(story)
      const at = story.entries.findIndex((each) => each.sentMs === 130)
      story.entries[at] = fitted([130, 150], 4, { key: 'again' })
      const first = fitted([sentMs, sentMs + 5], 4, { key })
      story.entries.push({ ...first, outcome: unknown })
    }
    expect(found(firstAt(118, 'again'))).toEqual([])
    expect(found(firstAt(118, 'other'))).toContain('step back')
    expect(found(firstAt(129.5, 'again'))).toContain('step back')
  })

  test('after a rollback the version from before it is an answer from the past', () => {
    expect(found((story) => story.entries.push(forecast([116, 119], 3)))).toEqual(['step back'])
  })

  test('a version that never served is noticed, and a model that is denied while it serves', () => {
    expect(found((story) => story.entries.push(forecast([152, 160], 9)))).toContain('step back')
    const denied = forecast([30, 33], 0, refused(404, { word: 'no-such-model' }))
    expect(found((story) => story.entries.push(denied))).toEqual(['step back'])
  })
})

describe('answers', () => {
  test('two answers to one question that differ are noticed', () => {
    const other = forecast([160, 165], 4, { answer: { digest: 'something else' } })
    expect(found((story) => story.entries.push(other))).toEqual(['answers differ'])
  })

  test('an answer that its version does not compute is noticed, even when it is alone', () => {
    const alone = { asked: { horizon: 7 }, answer: { pointsDigest: 'points of small-3' } }
    expect(found((story) => story.entries.push(forecast([160, 165], 4, alone)))).toEqual([
      'wrong answer',
    ])
  })

  test('what a fit without an answer made may be any of those', () => {
    const lost = (story: Story) => {
      story.entries[0] = { ...story.entries[0]!, outcome: unknown }
    }
    expect(found(lost)).toEqual([])
    const wrong = (story: Story) => {
      lost(story)
      story.entries[1] = forecast([20, 25], 1, { answer: { pointsDigest: 'points of small-7' } })
    }
    expect(found(wrong)).toEqual(['wrong answer'])
  })

  test('another version than the one that was asked for is noticed', () => {
    const pinned = forecast([160, 165], 4, { asked: { version: 3 } })
    expect(found((story) => story.entries.push(pinned))).toEqual(['wrong version'])
    const old = forecast([92, 94], 3, { asked: { atLeast: 4 } })
    expect(found((story) => story.entries.push(old))).toEqual(['wrong version'])
  })

  test('a version that is denied after it was acknowledged is noticed', () => {
    const more = { asked: { version: 3 }, ...refused(404, { word: 'no-such-version' }) }
    expect(found((story) => story.entries.push(forecast([160, 165], 3, more)))).toEqual([
      'version denied',
    ])
    expect(found((story) => story.entries.push(forecast([60, 65], 3, more)))).toEqual([])
  })
})

describe('availability', () => {
  const at = [20_000, 20_100] as const
  /** What is later than ten seconds after everything is not well again. */
  const later = down('etcd-1', 30_000, 30_001)

  test('a broken connection of a live broker is a failure, of a dead one not', () => {
    const fails = (...weather: Story['weather']['disturbances']) =>
      found((story) => {
        story.entries.push(broken(at))
        setWeather(story, later, ...weather)
      })
    expect(fails()).toEqual(['failed forecast'])
    expect(fails(down('broker-1', 20_050, 20_500))).toEqual([])
    expect(fails(down('broker-2', 20_050, 20_500))).toEqual(['failed forecast'])
    expect(fails(down('broker-1', 20_200, 20_500))).toEqual(['failed forecast'])
  })

  test('a refusal counts while one node can be reached, and has been up for a while', () => {
    const fails = (...weather: Story['weather']['disturbances']) =>
      found((story) => {
        story.entries.push(forecast(at, 4, refused(503)))
        setWeather(story, later, ...weather)
      })
    expect(fails()).toEqual(['failed forecast'])
    expect(fails(down('node-1', 19_000, 21_000))).toEqual(['failed forecast'])
    expect(fails(down('node-1', 19_000, 21_000), down('node-2', 15_000, 15_500))).toEqual([])
    expect(fails(down('node-1', 19_000, 21_000), cut('broker-1', 'node-2', 0, 20_050))).toEqual([])
    expect(fails(down('node-1', 19_000, 21_000), cut('broker-2', 'node-2', 0, 20_050))).toEqual([
      'failed forecast',
    ])
  })

  describe('of a model that was deleted and came back', () => {
    const deleted = (outcome: Partial<Answered> | typeof unknown = { version: 4 }) =>
      entry([18_000, 18_100], { kind: 'delete', model: 'm' }, outcome)
    const back = fitted([18_200, 18_300], 5, {}, 'broker-2')
    const failsWith =
      (word: string) =>
      (weather: Story['weather']['disturbances'], ...before: Story['entries']) =>
        found((story) => {
          story.entries.push(...before, forecast(at, 4, refused(503, { word })))
          setWeather(story, later, ...weather)
        }).includes('failed forecast')
    const failsAway = failsWith('coordinator-away')
    /** So that the broker can neither hear nor ask. */
    const cutFrom = (fromMs: number) => [cut('broker-1', 'etcd-1', fromMs, 20_200)]

    test('a 503 is excused until it is back, and only if it was deleted at all', () => {
      expect(failsAway([])).toBe(true)
      expect(failsAway([], deleted())).toBe(false)
      expect(failsAway([], deleted(unknown))).toBe(false)
      expect(failsAway([], deleted({ status: 503 }))).toBe(false)
      expect(failsAway([], deleted({ status: 404 }))).toBe(true)
      expect(failsAway([], deleted({ status: 503, word: 'coordinator-away' }))).toBe(true)
      const unreached = { ...deleted(), outcome: { kind: 'unreached', why: '' } } as const
      expect(failsAway([], unreached)).toBe(true)
      expect(failsAway([], { ...deleted(), asked: { kind: 'delete', model: 'n' } })).toBe(true)
    })

    test('an attempt to delete it did nothing when the next one found it there', () => {
      const waited = entry([19_000, 20_050], { kind: 'delete', model: 'm' }, { version: 4 })
      const fails = (second: Entry) =>
        found((story) => {
          const early = forecast([18_500, 18_600], 4, refused(503, { word: 'coordinator-away' }))
          story.entries.push(deleted({ status: 503 }), early, second)
        }).includes('failed forecast')
      expect(fails(waited)).toBe(true)
      expect(fails({ ...waited, outcome: { ...refused(404).answer, ...absent } })).toBe(false)
    })

    test('a broker that was cut off when it came back, and still is, need not know', () => {
      expect(failsAway(cutFrom(18_250), deleted(), back)).toBe(false)
      expect(failsAway([cut('broker-1', 'etcd-1', 9_000, 18_250)], deleted(), back)).toBe(false)
      expect(failsAway([cut('broker-1', 'etcd-1', 1_000, 9_000)], deleted(), back)).toBe(true)
      expect(failsAway([cut('broker-2', 'etcd-1', 0, 20_200)], deleted(), back)).toBe(true)
      expect(failsAway([down('cql', 0, 20_200)], deleted(), back)).toBe(true)
      expect(failsAway([down('etcd-2', 18_250, 20_200)], deleted(), back)).toBe(false)
      expect(failsWith('not-ready')(cutFrom(18_250), deleted(), back)).toBe(false)
    })

    test('one that was cut off later, or has shown that it knows, has no excuse', () => {
      expect(failsAway(cutFrom(19_900), deleted(), back)).toBe(true)
      const shown = forecast([18_400, 18_500], 5)
      expect(failsAway(cutFrom(18_250), deleted(), back, shown)).toBe(true)
      const elsewhere = forecast([18_400, 18_500], 5, {}, 'broker-2')
      expect(failsAway(cutFrom(18_250), deleted(), back, elsewhere)).toBe(false)
      const byItself = fitted([18_200, 18_300], 5)
      expect(failsAway(cutFrom(18_250), deleted(), byItself)).toBe(true)
    })

    test('who waited for it is answered when it is back', () => {
      const waited = (sentMs: number, ...weather: Story['weather']['disturbances']) =>
        found((story) => {
          const entry = forecast([sentMs, sentMs + 10_000], 4, refused(503, { word: 'no-node' }))
          story.entries.push(deleted(), fitted([18_200, 22_000], 5, {}, 'broker-2'), entry)
          setWeather(story, later, ...weather)
        }).includes('failed forecast')
      expect(waited(18_150)).toBe(true)
      expect(waited(18_150, cut('broker-1', 'etcd-1', 0, 25_000))).toBe(false)
    })
  })

  test('of a pinned version a 503 is excused while a backend is away, and just after', () => {
    const fails = (...weather: Story['weather']['disturbances']) =>
      found((story) => {
        story.entries.push(forecast(at, 1, { asked: { version: 1 }, ...refused(503) }))
        setWeather(story, later, ...weather)
      })
    expect(fails()).toEqual(['failed forecast'])
    expect(fails(down('cql', 20_050, 20_500))).toEqual([])
    expect(fails(down('etcd-2', 15_000, 15_100))).toEqual([])
    expect(fails(cut('node-1', 'cql', 15_000, 15_100))).toEqual([])
    expect(fails(down('cql', 0, 9_900))).toEqual(['failed forecast'])
    expect(fails(down('node-1', 15_000, 20_500))).toEqual(['failed forecast'])
    expect(fails(cut('broker-1', 'node-1', 15_000, 20_500))).toEqual(['failed forecast'])
  })

  test('a 500 is never right, and nor is a 503 that does not say when to come again', () => {
    const answer = (status: number, retryAfter: boolean) =>
      found((story) => {
        setWeather(story, later, down('node-1', 0, 30_000), down('node-2', 0, 30_000))
        story.entries.push(forecast(at, 4, refused(status, { retryAfter })))
      })
    expect(answer(500, true)).toEqual(['internal error'])
    expect(answer(502, true)).toEqual(['internal error'])
    expect(answer(503, false)).toEqual(['internal error'])
    expect(answer(503, true)).toEqual([])
  })

  test('ten seconds after the last disturbance nothing fails, fits neither', () => {
    const fails = (sentMs: number) =>
      found((story) => {
        story.entries.push({ ...fitted([sentMs, sentMs + 5], 9), outcome: unknown })
        setWeather(story, later)
      })
    expect(fails(39_000)).toEqual([])
    expect(fails(40_500)).toEqual(['not well again'])
  })
})
