import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BacktestEntry,
  BacktestInput,
  BacktestResult,
  backendSettings,
  ClaimRecord,
  CounterRecord,
  codec,
  createClusterFold,
  Damaged,
  type Entry,
  FitOrder,
  JobRecord,
  LogRecord,
  ModelRecord,
  NodeModelRecord,
  NodeRecord,
  NotLoaded,
  Problem,
  parseKey,
  processSettings,
  RequestRecord,
  RetrainingRecord,
  readSettings,
  ScheduleRecord,
  ShardRecord,
  VersionRecord,
} from '../../src/index.ts'
import { manifestOf } from '../../src/store/manifest.ts'

const codecs = Object.entries({
  BacktestEntry,
  BacktestInput,
  BacktestResult,
  ClaimRecord,
  CounterRecord,
  FitOrder,
  JobRecord,
  LogRecord,
  ModelRecord,
  NodeModelRecord,
  NodeRecord,
  NotLoaded,
  Problem,
  RequestRecord,
  RetrainingRecord,
  ScheduleRecord,
  ShardRecord,
  VersionRecord,
}).map(([name, schema]) => ({ name, schema, ...codec(schema) }))

const words = ['__proto__', 'constructor', 'prototype', 'toString', 'length', 'then', '', 'a']
/** Objects with the names that have harmed others, own properties as JSON makes them. */
const poison = fc.constantFrom(
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"__proto__":null,"a":1,"a":2}',
  `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  '['.repeat(100_000),
  `"${'x'.repeat(100_000)}"`,
  '1e999',
  '-0',
  '"\\ud800"',
)
const anyJson = fc.jsonValue().map((value) => JSON.stringify(value))
const hostile = fc.oneof(anyJson, fc.string({ unit: 'binary' }), poison)

/** A record with the right names and mostly the right types, so that checks go deep. */
const nearly = (schema: { properties?: object }) => {
  const names = [...Object.keys(schema.properties ?? {}), ...words]
  const value = fc.oneof(
    fc.jsonValue(),
    fc.integer(),
    fc.double(),
    fc.constantFrom(null, 'a', 'fit', 'stored', 'queued', '0'.repeat(64), [], {}, true),
  )
  return fc.dictionary(fc.constantFrom(...names), value).map((record) => JSON.stringify(record))
}

test.each(codecs)(
  '$name takes any text: a value that fits, or a fault',
  ({ schema, ...values }) => {
    fc.assert(
      fc.property(fc.oneof(hostile, nearly(schema)), (text) => {
        const decoded = values.decode(text)
        if (!decoded.ok) expect(decoded.fault.length).toBeGreaterThan(0)
        else expect(values.decode(values.encode(decoded.value as never)).ok).toBe(true)
        expect(Reflect.get({}, 'polluted')).toBeUndefined()
      }),
    )
  },
)

const part = fc.oneof(
  fc.constantFrom('models', 'jobs', 'nodes', 'claims', 'default', 'm', ...words),
)
const anyKey = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(part, { maxLength: 7 }).map((parts) => `/${parts.join('/')}`),
)

test('any key is taken apart, or unknown', () => {
  fc.assert(
    fc.property(anyKey, (key) => {
      expect(parseKey(key).kind).toMatch(/^[a-z-]+$/)
    }),
  )
})

const good: Entry = {
  key: '/claims/a',
  value: JSON.stringify({ node: 'a_1', instance: 'i', since: '2026-01-01' }),
  createRevision: 1,
  modRevision: 1,
  lease: null,
}

test('whatever else is in the coordinator, what is good is seen', () => {
  const bad = fc.record({ key: anyKey, value: fc.oneof(hostile, nearly(ModelRecord)) })
  fc.assert(
    fc.property(fc.array(bad), (entries) => {
      const reported = new Set<string>()
      const fold = createClusterFold((key) => reported.add(key))
      const others = entries.filter(({ key }) => key !== good.key)
      const all = [...others.map((entry) => ({ ...good, ...entry })), good]
      fold.apply({ kind: 'snapshot', revision: 5, entries: all })
      fold.apply({
        kind: 'changes',
        revision: 6,
        changes: all.map((entry) => ({ kind: 'put', entry })),
      })
      expect(fold.state.claims.get('a')?.text).toBe(good.value)
      for (const key of reported) expect(others.some((other) => other.key === key)).toBe(true)
      expect(Reflect.get({}, 'polluted')).toBeUndefined()
    }),
  )
})

test('a row that is no manifest is damaged, and nothing else', () => {
  const number = fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger())
  const text = fc.string({ unit: 'binary' })
  const row = fc.record({
    kind: fc.constant('model' as const),
    id: text,
    label: text,
    sizeBytes: number,
    begunAt: text,
    manifest: fc.record({
      sha256: text,
      chunkCount: number,
      chunkBytes: number,
      createdAt: text,
      seal: text,
    }),
  })
  fc.assert(
    fc.property(row, (bad) => {
      expect(() => manifestOf(bad)).toThrow(Damaged)
    }),
  )
})

test('any command line and environment give settings, faults or help', () => {
  const table = { ...processSettings, ...backendSettings }
  const flags = Object.values(table).map(({ flag }) => `--${flag}`)
  const names = Object.values(table).map(({ env }) => env)
  const text = fc.string({ unit: 'binary' })
  const word = fc.oneof(text, fc.constantFrom(...flags, ...flags.map((f) => `${f}=`), '--', '-x'))
  const env = fc.dictionary(fc.oneof(fc.constantFrom(...names, ...words), text), text)
  fc.assert(
    fc.property(fc.array(word), env, (argv, variables) => {
      const outcome = readSettings(table, argv, variables)
      if (outcome.kind === 'faults') expect(outcome.faults.length).toBeGreaterThan(0)
      expect(Reflect.get({}, 'polluted')).toBeUndefined()
    }),
  )
})
