import { describe, expect, test } from 'vitest'
import { readBacktestBody } from '../../src/api/backtest-body.ts'

const read = (body: unknown) =>
  readBacktestBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))

describe('the body of a backtest', () => {
  test('needs a horizon and nothing else', () => {
    expect(read({ horizon: 12 })).toEqual({
      ...{ kind: 'backtest', version: 'serving', spec: null },
      settings: {
        ...{ horizon: 12, windows: 4, step: 12, levels: [80, 95], mode: 'refit', season: null },
      },
    })
  })

  test('can say all of it; levels come in their order, each once', () => {
    const body = {
      ...{ version: 3, spec: { family: 'theta' }, horizon: 6, windows: 9, step: 2, season: 7 },
      ...{ levels: [95, 50, 95], mode: 'update' },
    }
    expect(read(body)).toMatchObject({
      version: 3,
      spec: { family: 'theta' },
      settings: { horizon: 6, windows: 9, step: 2, levels: [50, 95], mode: 'update', season: 7 },
    })
  })

  test.each([
    ['', undefined, 'no-body'],
    ['{', undefined, 'not-json'],
    [[], undefined, 'not-an-object'],
    [{}, '/horizon', 'invalid'],
    [{ horizon: 1_001 }, '/horizon', 'invalid'],
    [{ horizon: 1.5 }, '/horizon', 'invalid'],
    [{ horizon: '7' }, '/horizon', 'invalid'],
    [{ horizon: 7, windows: 0 }, '/windows', 'invalid'],
    [{ horizon: 7, windows: 201 }, '/windows', 'invalid'],
    [{ horizon: 7, step: 0 }, '/step', 'invalid'],
    [{ horizon: 7, season: -1 }, '/season', 'invalid'],
    [{ horizon: 7, levels: [] }, '/levels', 'invalid'],
    [{ horizon: 7, levels: [100] }, '/levels', 'invalid'],
    [{ horizon: 7, levels: 80 }, '/levels', 'invalid'],
    [{ horizon: 7, levels: [80, null] }, '/levels', 'invalid'],
    [{ horizon: 7, mode: 'again' }, '/mode', 'invalid'],
    [{ horizon: 7, version: 0 }, '/version', 'invalid'],
    [{ horizon: 7, version: 'best' }, '/version', 'invalid'],
    [{ horizon: 7, spec: { family: 'none' } }, '/spec/family', 'unknown-family'],
    [{ horizon: 7, spec: [] }, '/spec', 'wrong-type'],
    [{ horizon: 7, data: [1] }, '/data', 'unknown-field'],
  ])('%j is refused by its field', (body, field, code) => {
    const fault = read(body)
    expect(fault).toMatchObject({ kind: 'fault', status: 400, code })
    expect('field' in fault ? fault.field : undefined).toBe(field)
  })
})
