import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { ArimaModel } from '../../src/arima/model.ts'
import { fitModel, parseSpec } from '../../src/index.ts'
import { doneValue } from '../expect-done.ts'
import { growingSeason, walk } from '../family/series.ts'

const run = { seed: 5, workMax: 1e9 }

describe('an information criterion is compared', () => {
  test.each([
    ['months', { y: growingSeason(120), seasons: [12] }, null],
    ['months under a chosen transform', { y: growingSeason(120), seasons: [12] }, 'auto'],
    ['a walk', { y: walk(100), seasons: [] }, null],
    ['a walk in the logarithm', { y: walk(100), seasons: [] }, 0],
  ])('only among ARIMA models of the same differences and transform: %s', (_, series, boxCox) => {
    const spec = doneValue(parseSpec({ family: 'arima', select: true, boxCox }))
    const outcome = fitModel(series, spec, run)
    const model = doneValue(outcome) as ArimaModel
    const { candidates = [] } = outcome.kind === 'refused' ? {} : outcome.report
    expect(candidates.length).toBeGreaterThan(1)
    const differences = candidates.map(({ name }) => differencesIn(name))
    expect(new Set(differences).size).toBe(1)
    expect(differences[0]).toBe(`${model.orders.d},${model.orders.D}`)
    // One λ was settled before any of them was fitted, and the model keeps it.
    if (boxCox !== null) expect(typeof model.spec.boxCox).toBe('number')
    const best = Math.min(...candidates.map(({ aicc }) => aicc ?? Number.POSITIVE_INFINITY))
    expect(candidates[0]!.aicc).toBe(best)
  })

  test('never among families: what combines them does not look at theirs', () => {
    const folder = fileURLToPath(new URL('../../src/automatic/', import.meta.url))
    const reads = readdirSync(folder).flatMap((file) =>
      readFileSync(`${folder}${file}`, 'utf8')
        .split('\n')
        .filter((line) => /\b(aicc?|bic|logLikelihood)\b/.test(line)),
    )
    expect(reads).toEqual([])
  })
})

/** Of names like ARIMA(1,0,1)(0,1,1)[12]: d and D. */
function differencesIn(name: string): string {
  const [, d = '', D = '0'] = /\(\d+,(\d+),\d+\)(?:\(\d+,(\d+),\d+\))?/.exec(name) ?? []
  return `${d},${D}`
}
