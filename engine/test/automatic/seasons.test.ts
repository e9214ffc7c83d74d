import { describe, expect, test } from 'vitest'
import { detectSeasons } from '../../src/automatic/seasons.ts'
import { makeRandom, type TestRandom } from '../random.ts'
import { readSampleData } from '../sample-data.ts'

describe('the season of a series that nobody described', () => {
  test('is a year in ten years of daily temperatures', () => {
    expect(detectSeasons(readSampleData())).toEqual([365])
  })

  test('is a year in months that grow, and swing the more the larger they are', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = makeRandom(seed)
      const y = Float64Array.from({ length: 144 }, (_, t) => {
        const growth = 4.7 + 0.01 * t + 0.15 * Math.sin((2 * Math.PI * t) / 12)
        return Math.exp(growth + 0.08 * Math.cos((2 * Math.PI * t) / 4) + 0.04 * random.normal())
      })
      expect(detectSeasons(y), `seed ${seed}`).toEqual([12])
    }
  })

  test('is four quarters in a random walk with a pattern', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = makeRandom(seed)
      const pattern = [3, -1, -4, 2]
      let level = 50
      const y = Float64Array.from({ length: 60 }, (_, t) => {
        level += random.normal()
        return level + pattern[t % 4]!
      })
      expect(detectSeasons(y), `seed ${seed}`).toEqual([4])
    }
  })

  test('may be two: a day and a week of hours', () => {
    const random = makeRandom(5)
    const y = Float64Array.from({ length: 24 * 7 * 8 }, (_, t) => {
      const weekend = Math.floor(t / 24) % 7 >= 5 ? -3 : 0
      return 20 + 4 * Math.sin((2 * Math.PI * t) / 24) + weekend + random.normal()
    })
    const found = detectSeasons(y)
    expect(found).toContain(168)
  })

  test('need not be a common one', () => {
    const random = makeRandom(6)
    const y = Float64Array.from(
      { length: 200 },
      (_, t) => ((t % 17) - 8) / 3 + 0.02 * t + random.normal(),
    )
    expect(detectSeasons(y)).toEqual([17])
  })

  test('is found beside gaps and wild values, at any scale', () => {
    const random = makeRandom(7)
    const y = Float64Array.from({ length: 156 }, (_, t) => {
      if (t % 13 === 4) return Number.NaN
      return (
        10 +
        3 * Math.sin((2 * Math.PI * t) / 12) +
        random.normal() +
        (t === 31 || t === 110 ? 60 : 0)
      )
    })
    for (const scale of [1, 1e-300, 1e140]) {
      expect(detectSeasons(y.map((value) => scale * value))).toEqual([12])
    }
  })
})

const noises: readonly { name: string; make: (random: TestRandom) => () => number }[] = [
  { name: 'white noise', make: (random) => random.normal },
  {
    name: 'a random walk',
    make(random) {
      let level = 0
      return () => {
        level += random.normal()
        return level
      }
    },
  },
  {
    name: 'an autoregression',
    make(random) {
      let value = 0
      return () => {
        value = 0.8 * value + random.normal()
        return value
      }
    },
  },
]

test.each(noises)('$name has no season, but for few false alarms', ({ name, make }) => {
  for (const length of [24, 60, 120, 400]) {
    let found = 0
    const trials = 200
    for (let seed = 0; seed < trials; seed++) {
      const next = make(makeRandom(1000 * length + seed))
      if (detectSeasons(Float64Array.from({ length }, next)).length > 0) found++
    }
    console.log(`${name} of ${length}: a season found in ${found} of ${trials}`)
    expect(found / trials).toBeLessThanOrEqual(0.05)
  }
})

test('a series without anything to find has no season', () => {
  expect(detectSeasons(new Float64Array(0))).toEqual([])
  expect(detectSeasons(new Float64Array(100))).toEqual([])
  expect(detectSeasons(new Float64Array(100).fill(Number.NaN))).toEqual([])
  expect(detectSeasons(new Float64Array(100).fill(3))).toEqual([])
  expect(detectSeasons(Float64Array.from({ length: 100 }, (_, t) => 5 + 0.1 * t))).toEqual([])
})
