import type { Chance } from './chance.ts'
import { hostileJson, hostileTexts } from './hostile-values.ts'
import { mutateBody } from './mutate-body.ts'

/** A key of the coordinator with a value that nobody should have written. */
export type BadRecord = { readonly key: string; readonly value: string }

/** Values of every kind, as they should be but for one place, or not at all. */
export function drawBadRecord(chance: Chance, models: readonly string[]): BadRecord {
  const [key, record] = chance.pick(kinds)(chance, chance.pick(models))
  const value = chance.flip(0.7)
    ? mutateBody(Buffer.from(JSON.stringify(record)), chance).toString()
    : chance.pick([hostileJson(chance), chance.pick(hostileTexts), ''])
  // What no coordinator takes is not what it is asked to keep.
  const isText = value.isWellFormed() && !value.includes('\0') && value.length < 20_000
  return { key, value: isText ? value : 'garbage' }
}

type Kind = (chance: Chance, model: string) => readonly [key: string, record: object]

const at = '2026-01-01T00:00:00.000Z'
const node = { ip: '127.0.0.1', port: 1, instance: 'nobody', protocol: 1, formats: [1] }

const kinds: readonly Kind[] = [
  (chance, model) => [
    `/models/default/${model}`,
    {
      serving: 1 + chance.below(3),
      target: 1 + chance.below(3),
      previous: null,
      high: 3,
      hold: chance.flip(0.3),
      changes: chance.below(5),
      floor: 0,
      why: 'fit',
      createdAt: at,
      deletedAt: chance.flip(0.2) ? at : null,
    },
  ],
  (chance, model) => [`/models/default/${model}/counter`, { last: 1 + chance.below(9) }],
  (chance, model) => [
    `/models/default/${model}/versions/00000000000${1 + chance.below(3)}`,
    {
      version: 1 + chance.below(3),
      state: chance.pick(['queued', 'fitting', 'stored', 'failed']),
      job: `bad-${chance.below(9)}`,
      spec: { family: 'baseline' },
      dataset: { blob: 'no-such-blob', observations: 3 },
      blob: chance.pick(['no-such-blob', '../../etc/passwd', '']),
      sha256: 'a'.repeat(64),
      sizeBytes: chance.pick([1, 1e9, Number.MAX_SAFE_INTEGER]),
      error: null,
      metrics: { a: 1 },
      times: { createdAt: at, fittingAt: null, storedAt: null, failedAt: null },
    },
  ],
  (chance, model) => [
    `/models/default/${model}/log/00000000000${chance.below(5)}`,
    { from: null, to: 1, why: 'fit', who: 'nobody', at },
  ],
  (chance, model) => [
    `/jobs/bad-${chance.below(9)}`,
    {
      id: `bad-${chance.below(9)}`,
      kind: 'fit',
      subject: { tenant: 'default', model, version: 1 + chance.below(3) },
      state: chance.pick(['queued', 'running', 'done', 'failed']),
      attempts: chance.below(5),
      progress: { phase: 'x', fraction: 0 },
      error: null,
      requestId: 'r',
      createdAt: at,
      endedAt: null,
    },
  ],
  (chance) => [`/claims/bad-${chance.below(9)}`, { node: 'nobody_1', instance: 'x', since: at }],
  (chance) => {
    const ip = chance.pick(['127.0.0.1', 'a b', '[', '', '::1', 'evil.example/', '%'])
    const port = 1 + chance.below(60_000)
    const capacity = { fits: chance.pick([0, 9, 1e15]), fitsBusy: 0 }
    return [
      `/nodes/${ip}_${port}`,
      { ...node, ip, port, capacity, roles: ['fit', 'serve'], startedAt: at },
    ]
  },
  (chance, model) => [
    `/nodes/nobody_${chance.below(3)}/models/default/${model}`,
    {
      instance: 'nobody',
      loaded: [1 + chance.below(3)],
      failed: [{ version: 2, reason: 'x', retriable: true }],
    },
  ],
  (chance) => [`/requests/default/${chance.below(9)}`, { job: 'bad-1', model: 'm', version: 1 }],
  (chance) => [chance.pick(['/models/default', '/models//x', '/jobs/', '/nodes/a/b/c', '/x']), {}],
]
