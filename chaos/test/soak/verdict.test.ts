import { describe, expect, test } from 'vitest'
import { type Sample, verdictOf } from '../../soak/verdict.ts'

const megabyte = 1_048_576

const part = (rssMb: number, handles: number): Sample['parts'][string] => ({
  inside: {
    rssBytes: 300 * megabyte,
    heapBytes: 50 * megabyte,
    externalBytes: 10 * megabyte,
    arrayBuffers: 0,
    handles,
  },
  outside: { rssMb, peakRssMb: 310, descriptors: 70, threads: 15, cpuMs: 0 },
})

/** A run of 50 minutes; `leak` is added up from minute to minute. */
function run(leak: { rssMb?: number; handles?: number; versions?: number; blobs?: number }) {
  return Array.from({ length: 201 }, (_, i): Sample => {
    const minutes = i / 4
    const grown = (perMinute = 0) => Math.floor(minutes * perMinute)
    const noise = ((i * 7_919) % 13) / 13 - 0.5
    return {
      atSeconds: minutes * 60,
      cycles: i * 50,
      parts: {
        still: part(300 + noise, 80),
        leaking: part(300 + noise + minutes * (leak.rssMb ?? 0), 80 + grown(leak.handles)),
      },
      keys: { version: 400 + grown(leak.versions), job: 1_000 },
      rows: { blobs: 1_000 + grown(leak.blobs), jobRecords: i * 50 },
      fileMb: { store: 1 },
    }
  })
}

describe('the verdict on a soak', () => {
  test('lets a flat run pass', () => {
    expect(verdictOf(run({})).violations).toEqual([])
  })

  test.each([
    ['leaking rss', { rssMb: 0.2 }],
    ['leaking handles', { handles: 2 }],
    ['keys/version', { versions: 8 }],
    ['blobRows', { blobs: 30 }],
  ])('notices when %s grows', (name, leak) => {
    const { violations } = verdictOf(run(leak))
    expect(violations).toHaveLength(1)
    expect(violations[0]).toContain(name)
  })

  test('does not judge a run that was too short', () => {
    expect(verdictOf(run({}).slice(0, 10)).violations).toHaveLength(1)
  })
})
