import {
  type Coordinator,
  createLogger,
  type Entry,
  modelKey,
  type WatchEvent,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import { openView } from '../../src/view/cluster-view.ts'
import { openCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { modelRecord } from '../support/records.ts'

const logger = createLogger({ process: 'test', level: 'silent' })
const entry = (serving: number, modRevision: number): Entry => ({
  key: modelKey({ tenant: 'default', model: 'm' }),
  value: JSON.stringify(modelRecord({ serving, target: serving })),
  createRevision: 1,
  modRevision,
  lease: null,
})

/** A view whose events the test gives; everything else is the real coordinator's. */
async function setUp(isSame = true) {
  const { coordinator } = await openCluster()
  let give: (event: WatchEvent) => void = () => {}
  const watched: Coordinator = Object.create(coordinator, {
    watch: {
      value: (_prefix: string, onEvent: (event: WatchEvent) => void) => {
        give = onEvent
        return { silentMs: () => 0, stop: async () => {} }
      },
    },
  })
  const revisions: number[] = []
  const view = openView({
    coordinator: watched,
    logger,
    onChange: () => revisions.push(view.state().revision),
    isSameCluster: async () => isSame,
  })
  const serving = () => view.state().models.get('default/m')?.value.serving
  return { view, give: (event: WatchEvent) => give(event), serving, revisions }
}

test('a snapshot that is behind is shown only when it has caught up', async () => {
  const { give, serving, revisions } = await setUp()
  give({ kind: 'snapshot', revision: 10, entries: [entry(7, 10)] })
  give({ kind: 'snapshot', revision: 5, entries: [entry(4, 5)] })
  expect(serving()).toBe(7)
  give({ kind: 'changes', revision: 8, changes: [{ kind: 'put', entry: entry(6, 8) }] })
  expect(serving()).toBe(7)
  give({ kind: 'changes', revision: 12, changes: [{ kind: 'put', entry: entry(8, 12) }] })
  expect(serving()).toBe(8)
  expect(revisions).toEqual([10, 12])
})

test('a snapshot of another cluster is taken, though its revisions are lower', async () => {
  const { give, serving } = await setUp(false)
  give({ kind: 'snapshot', revision: 10, entries: [entry(7, 10)] })
  give({ kind: 'snapshot', revision: 2, entries: [entry(1, 2)] })
  await eventually(serving, (version) => version === 1)
})

test('a value that does not fit is skipped, and the rest is seen', async () => {
  const { give, view } = await setUp()
  const bad = { ...entry(1, 3), key: '/models/default/bad', value: '{"serving":"x"}' }
  give({ kind: 'snapshot', revision: 3, entries: [bad, entry(1, 2)] })
  expect([...view.state().models.keys()]).toEqual(['default/m'])
})
