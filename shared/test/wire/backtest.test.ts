import { describe, expect, test } from 'vitest'
import {
  type BacktestInput,
  type BacktestResult,
  codecs,
  decodeBacktestInput,
  decodeBacktestResult,
  decodeBacktestShard,
  encodeBacktestInput,
  encodeBacktestResult,
} from '../../src/index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const sha256 = 'a'.repeat(64)

describe('what a backtest keeps', () => {
  test('comes back as it went', () => {
    const data = [
      { blob: 'one', sha256 },
      { blob: 'two', sha256: null },
    ]
    const shards = [{ first: 'a', series: 2, data }]
    const input: BacktestInput = { format: 1, kind: 'many', spec: { family: 'theta' }, shards }
    expect(decodeBacktestInput(encodeBacktestInput(input))).toEqual({ ok: true, value: input })
    const shard = { first: 'a', blob: 'b', sha256, sizeBytes: 9, series: 2, codes: { ok: 2 } }
    const result: BacktestResult = { format: 1, steps: [], shards: [shard] }
    expect(decodeBacktestResult(encodeBacktestResult(result))).toEqual({ ok: true, value: result })
  })

  test('of a shard is a head and a line for each series, which nobody reads for that', () => {
    const read = decodeBacktestShard(bytes('{"format":1,"steps":[]}\n{"key":"a"}\n{"key":"b"}\n'))
    const lines = ['{"key":"a"}', '{"key":"b"}']
    expect(read).toEqual({ ok: true, value: { format: 1, steps: [], lines } })
  })

  test.each(['', '{', 'null', '{"format":2,"steps":[]}', '{"key":"a"}'])(
    'that is none of it is told as a fault: %j',
    (text) => {
      for (const decode of [decodeBacktestInput, decodeBacktestResult, decodeBacktestShard])
        expect(decode(bytes(text))).toMatchObject({ ok: false })
    },
  )
})

/** As this release writes it: later ones read it. */
const written =
  '{"id":"j","kind":"backtest","subject":{"tenant":"default","model":"m","version":3},' +
  '"state":"done","attempts":1,"progress":{"phase":"done","fraction":1},"error":null,' +
  '"requestId":"r","createdAt":"2026-01-01T00:00:00.000Z","endedAt":"2026-01-01T00:00:09.000Z",' +
  '"shards":1,"backtest":{"settings":{"horizon":2,"windows":4,"step":2,"levels":[80],' +
  '"mode":"refit","season":null},"input":"i","result":{"blob":"b","sha256":"' +
  `${sha256}","sizeBytes":9},"scores":{"series":1,"judged":1,"codes":{"ok":1},"count":8,` +
  '"missing":0,"mean":{"mase":null,"smape":1,"rmse":1,"mae":1,"bias":0,"pinball":1,' +
  '"scaledPinball":null},"median":{"mase":null,"smape":1,"rmse":1,"mae":1,"bias":0,"pinball":1,' +
  '"scaledPinball":null},"coverage":[{"level":80,"coverage":0.75}]}}}'

test('the record of a backtest is read as it was written, with what a later release adds', () => {
  const read = codecs.job.decode(written)
  expect(read.ok && codecs.job.encode(read.value)).toBe(written)
  const later = written.replace('"season":null', '"season":null,"more":[1]')
  const kept = codecs.job.decode(later)
  expect(kept.ok && codecs.job.encode(kept.value)).toBe(later)
})
