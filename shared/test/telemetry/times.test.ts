import { describe, expect, test } from 'vitest'
import { createTimes, Histogram, Registry, seededRandom } from '../../src/index.ts'

const buckets = [0.001, 0.01, 0.1, 1]

describe('times', () => {
  test('are told as the usual histogram tells them', async () => {
    const random = seededRandom(5)
    const [ours, usual] = [new Registry(), new Registry()]
    for (const registry of [ours, usual]) registry.setDefaultLabels({ part: 'broker' })
    const about = { name: 'seconds', help: 'Some.', buckets }
    const times = createTimes(ours, about)
    const histogram = new Histogram({ ...about, labelNames: ['route'], registers: [usual] })
    for (const route of ['/a', '/b"\\']) {
      const observe = times({ route })
      for (let i = 0; i < 200; i += 1) {
        const seconds = 10 ** (random() * 6 - 4)
        observe(seconds)
        histogram.labels({ route }).observe(seconds)
      }
      observe(0.01)
      histogram.labels({ route }).observe(0.01)
    }
    const lines = async (registry: Registry) =>
      (await registry.metrics()).split('\n').map(labelsInOrder).sort()
    expect(await lines(ours)).toEqual(await lines(usual))
  })

  test('that nobody has seen are none', async () => {
    const registry = new Registry()
    createTimes(registry, { name: 'seconds', help: 'Some.', buckets })
    expect(await registry.metrics()).toBe('# HELP seconds Some.\n# TYPE seconds histogram\n')
  })
})

const labelsInOrder = (line: string) =>
  line.replace(/\{.*\}/, (found) => found.slice(1, -1).split(',').sort().join(','))
