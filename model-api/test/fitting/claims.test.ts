import {
  claimKey,
  codecs,
  jobKey,
  type Operation,
  put,
  remove,
  type Transaction,
  versionKey,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import { breakable } from '../support/faults.ts'
import {
  claimed,
  type Machine,
  openMachine,
  openNode,
  order,
  putModel,
  queueFit,
  readJob,
  readVersion,
  soon,
  until,
  untilJob,
  untilReady,
} from '../support/machine.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)

const modelBlobs = async ({ store }: Machine) =>
  (await store.listBlobs('model', { after: null, limit: 100 }, soon())).blobs

test('of two nodes with the same order one fits', async () => {
  const machine = await openMachine()
  const [one, other] = [await openNode(machine), await openNode(machine)]
  const of = await queueFit(machine)

  const answers = await Promise.all([order(machine, one, of.job), order(machine, other, of.job)])
  const job = await untilJob(machine, of, 'done')

  expect(answers.map(({ status }) => status)).toEqual([202, 202])
  expect(job.attempts).toBe(1)
  expect(await modelBlobs(machine)).toHaveLength(1)
})

test('an order that is repeated while it is under way is one fit', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueFit(machine)

  await order(machine, node, of.job)
  await order(machine, node, of.job)

  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
  expect(await modelBlobs(machine)).toHaveLength(1)
})

test('a fit that ends after its claim became another’s changes nothing', async () => {
  const machine = await openMachine()
  // Slow to look, so that it finds out when it publishes and not before.
  const node = await openNode(machine, {
    fitWorkerFile: scripted,
    timing: { progressMs: 60_000 },
  })
  const of = await queueFit(machine, { spec: { act: 'answer', afterMs: 300 } })
  await order(machine, node, of.job)
  await until(() => claimed(machine, of.job))
  await stealClaim(machine, of.job)
  const stolen = await machine.coordinator.list('/', soon())

  await until(async () => (await modelBlobs(machine)).length === 1)
  await until(async () => (await metric(node.url, 'claim-lost')) === 1)

  const after = await machine.coordinator.list('/', soon())
  const ours = ({ key }: { key: string }) => !key.startsWith('/nodes/')
  expect(after.entries.filter(ours)).toEqual(stolen.entries.filter(ours))
})

test('a fit stops soon after its claim is gone, and makes room for the next', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })
  const next = await queueFit(machine, { version: 2, spec: { act: 'answer' } })
  await order(machine, node, of.job)
  await order(machine, node, next.job)
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'fitting')

  await stealClaim(machine, of.job)

  await untilJob(machine, next, 'done')
  expect((await readVersion(machine, of)).state).toBe('fitting')
})

test('a publication whose answer was lost is read back, not repeated', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  let publications = 0
  faults.transaction = (transaction) => {
    if (!publishes(transaction)) return 'pass'
    publications += 1
    return publications === 1 ? 'lose-answer' : 'pass'
  }
  const node = await openNode({ ...machine, coordinator })
  const of = await queueFit(machine)

  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')
  await until(async () => (await metric(node.url, 'stored')) === 1)

  const [blob, ...more] = await modelBlobs(machine)
  expect(more).toEqual([])
  expect((await readVersion(machine, of)).blob).toBe(blob?.id)
})

test('a publication that never arrived is sent again', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  let publications = 0
  faults.transaction = (transaction) => {
    if (!publishes(transaction)) return 'pass'
    publications += 1
    return publications <= 2 ? 'lose-request' : 'pass'
  }
  const node = await openNode({ ...machine, coordinator })
  const of = await queueFit(machine)

  await order(machine, node, of.job)

  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
  expect(publications).toBe(3)
  expect(await modelBlobs(machine)).toHaveLength(1)
})

test('a claim whose answer was lost is taken up', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  let lost = false
  faults.transaction = ({ then }) => {
    const claims = then.some(({ kind, key }) => kind === 'put' && key.startsWith('/claims/'))
    if (!claims || lost) return 'pass'
    lost = true
    return 'lose-answer'
  }
  const node = await openNode({ ...machine, coordinator })
  const of = await queueFit(machine)

  await order(machine, node, of.job)

  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
  expect(lost).toBe(true)
})

test('a fit of a model with a tombstone ends as deleted before it begins', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueFit(machine)
  await putModel(machine, of, { deletedAt: new Date().toISOString(), floor: 1 })

  await order(machine, node, of.job)

  const job = await untilJob(machine, of, 'failed')
  expect(job).toMatchObject({ attempts: 0, error: { phase: 'deleted' } })
  expect((await readVersion(machine, of)).state).toBe('failed')
})

test('deleting a model stops its fit, and the job says so', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { spec: { act: 'until-stopped' } })
  await order(machine, node, of.job)
  await until(() => claimed(machine, of.job))

  await putModel(machine, of, { deletedAt: new Date().toISOString(), floor: 1 })

  expect((await untilJob(machine, of, 'failed')).error?.phase).toBe('deleted')
  expect(await claimed(machine, of.job)).toBe(false)
})

test('a late word of an earlier deletion does not end a fit of the model made anew', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  const node = await openNode({ ...machine, coordinator }, { fitWorkerFile: scripted })
  await untilReady(node)
  const name = { tenant: 'default', model: 'default' }
  const held: (() => void)[] = []
  faults.heldEvents = held
  await putModel(machine, name, { deletedAt: new Date().toISOString(), floor: 4 })
  await until(() => held.length === 1)
  await putModel(machine, name, { floor: 4 })
  const of = await queueFit(machine, { version: 5, spec: { act: 'answer', afterMs: 300 } })
  await order(machine, node, of.job)
  await until(() => claimed(machine, of.job))

  faults.heldEvents = undefined
  for (const deliver of held) deliver()

  expect((await untilJob(machine, of, 'done')).attempts).toBe(1)
})

test('a job with all its attempts spent is left to the brokers', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const spent = await queueFit(machine, { attempts: 3 })
  const next = await queueFit(machine, { version: 2 })

  await order(machine, node, spent.job)
  await order(machine, node, next.job)
  await untilJob(machine, next, 'done')

  expect(await readJob(machine, spent.job)).toMatchObject({ state: 'queued', attempts: 3 })
})

test('writers keep the fields that they do not know', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await queueFit(machine)
  const job = { ...(await readJob(machine, of.job)), later: 'job' }
  const version = { ...(await readVersion(machine, of)), later: 'version' }
  const then = [
    put(jobKey(of.job), codecs.job.encode(job)),
    put(versionKey(of, 1), codecs.version.encode(version)),
  ]
  await machine.coordinator.transact({ when: [], then }, soon())

  await order(machine, node, of.job)

  expect(await untilJob(machine, of, 'done')).toMatchObject({ later: 'job' })
  expect(await readVersion(machine, of)).toMatchObject({ state: 'stored', later: 'version' })
})

/** What happens when a lease ends and another node is quick. */
async function stealClaim({ coordinator }: Machine, job: string): Promise<void> {
  const claim = { node: '127.0.0.1_1', instance: 'another', since: new Date().toISOString() }
  const key = claimKey(job)
  await coordinator.transact({ when: [], then: [remove(key)] }, soon())
  const lease = await coordinator.grantLease(60_000, soon())
  const then: Operation[] = [put(key, codecs.claim.encode(claim), lease.id)]
  await coordinator.transact({ when: [], then }, soon())
}

function publishes({ then }: Transaction): boolean {
  return then.some((operation) => operation.kind === 'put' && /"stored"/.test(operation.value))
}

/** How many fits of a node came to this end. */
async function metric(url: string, outcome: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const found = new RegExp(`^almanac_fits_total\\{[^}]*outcome="${outcome}"[^}]*\\} (\\d+)`, 'm')
  return Number(found.exec(text)?.[1] ?? 0)
}
