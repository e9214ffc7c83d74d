import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Answer, createResponseCache } from '../../src/routing/response-cache.ts'

const answer = (bytes: number, version = 1): Answer => ({
  version,
  etag: `"${version}"`,
  contentType: 'application/json',
  body: Buffer.alloc(bytes),
})

describe('the response cache', () => {
  test('gives back what was kept', () => {
    const cache = createResponseCache(100_000)
    const kept = answer(100)
    cache.set('a', kept)
    expect(cache.get('a')).toEqual(kept)
    expect(cache.get('a')?.body).toBe(kept.body)
    expect(cache.get('b')).toBeUndefined()
  })

  test('what is asked for again and again outlives what is asked for once', () => {
    const cache = createResponseCache(20_000)
    cache.set('hot', answer(1_000))
    for (let i = 0; i < 500; i += 1) {
      for (let times = 0; times < 2; times++) cache.set(`cold ${i}`, answer(1_000))
      expect(cache.get('hot')).toBeDefined()
    }
    expect(cache.get('cold 0')).toBeUndefined()
  })

  test('once it is full, it takes what comes a second time, and nothing that comes once', () => {
    const cache = createResponseCache(20_000)
    for (let i = 0; i < 500; i += 1) cache.set(`once ${i}`, answer(1_000))
    expect(cache.get('once 0')).toBeDefined()
    expect(cache.get('once 499')).toBeUndefined()
    cache.set('once 499', answer(1_000))
    expect(cache.get('once 499')).toBeDefined()
  })

  test('an answer too large for it pushes nothing out', () => {
    const cache = createResponseCache(10_000)
    cache.set('small', answer(10))
    cache.set('large', answer(9_000))
    expect(cache.get('large')).toBeUndefined()
    expect(cache.get('small')).toBeDefined()
  })

  test('its bytes are bounded and counted, whatever is put in and asked for', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 30 }),
      bytes: fc.integer({ min: 0, max: 4_000 }),
      isGet: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const cache = createResponseCache(12_000)
        const model = new Map<string, Answer>()
        for (const { key, bytes, isGet } of steps) {
          const name = `k${key}`
          const found = cache.get(name)
          if (found) expect(found.body).toBe(model.get(name)?.body)
          if (isGet || found) continue
          model.set(name, answer(bytes))
          cache.set(name, model.get(name)!)
          expect(cache.bytes()).toBeLessThanOrEqual(12_000)
        }
        const alive = [...model].filter(([name, one]) => cache.get(name)?.body === one.body)
        expect(alive).toHaveLength(cache.count())
      }),
    )
  })
})
