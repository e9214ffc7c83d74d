import { claimKey, codecs, put, remove, type Transaction } from '@almanac/shared'
import { expect, test } from 'vitest'
import { breakable } from '../support/faults.ts'
import {
  claimed,
  type Machine,
  type Order,
  openMachine,
  openNode,
  order,
  queueFit,
  readJob,
  soon,
  until,
} from '../support/machine.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)
const untilStopped = { spec: { act: 'until-stopped' } }

test('an attempt that the loss of a claim cost is given back', async () => {
  const machine = await openMachine()
  const of = await begin(machine, 0)
  await dropClaim(machine, of)
  await until(async () => (await readJob(machine, of.job)).attempts === 0)
  expect((await readJob(machine, of.job)).state).toBe('running')
})

test('not while another works on the fit, and not once that is done', async () => {
  const machine = await openMachine()
  const of = await begin(machine, 0)
  const then = [put(claimKey(of.job), codecs.claim.encode(anothers))]
  await machine.coordinator.transact({ when: [], then: [remove(claimKey(of.job))] }, soon())
  await machine.coordinator.transact({ when: [], then }, soon())
  await new Promise((done) => setTimeout(done, 2_500))
  expect((await readJob(machine, of.job)).attempts).toBe(1)
  await dropClaim(machine, of)
  await until(async () => (await readJob(machine, of.job)).attempts === 0)
})

test('once only, whatever becomes of the answers', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  let returns = 0
  const of = await begin({ ...machine, coordinator }, 1)
  faults.transaction = (transaction) => {
    if (!givesBack(transaction)) return 'pass'
    returns += 1
    return returns === 1 ? 'lose-request' : 'lose-answer'
  }
  await dropClaim(machine, of)
  await until(() => returns === 2)
  await new Promise((done) => setTimeout(done, 2_500))
  expect(returns).toBe(2)
  expect((await readJob(machine, of.job)).attempts).toBe(1)
})

test('also of a claim of which nobody knows whether it was made', async () => {
  const machine = await openMachine()
  const { coordinator, faults } = breakable(machine.coordinator)
  let claims = 0
  faults.transaction = ({ then }) => {
    if (!then.some(({ kind, key }) => kind === 'put' && key.startsWith('/claims/'))) return 'pass'
    claims += 1
    // It is made, but neither this answer comes nor that to the question after it.
    faults.away = true
    setTimeout(() => {
      faults.away = false
    }, 20)
    return 'lose-answer'
  }
  const node = await openNode({ ...machine, coordinator }, { fitWorkerFile: scripted })
  const of = await queueFit(machine, untilStopped)
  await order(machine, node, of.job)
  await until(() => claims >= 1)
  await until(async () => (await readJob(machine, of.job)).attempts > 0)
  await until(async () => (await readJob(machine, of.job)).attempts === 0)
})

test('but not of a fit that ended its thread', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { spec: { act: 'exit' } })
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).attempts === 1)
  await until(async () => !(await claimed(machine, of.job)))
  await new Promise((done) => setTimeout(done, 2_500))
  expect((await readJob(machine, of.job)).attempts).toBe(1)
})

/** A fit under way, after so many attempts of others. */
async function begin(machine: Machine, attempts: number): Promise<Order> {
  const node = await openNode(machine, { fitWorkerFile: scripted })
  const of = await queueFit(machine, { ...untilStopped, attempts })
  await order(machine, node, of.job)
  await until(async () => (await readJob(machine, of.job)).progress.phase === 'fitting')
  return of
}

const anothers = { node: '127.0.0.1_1', instance: 'another', since: new Date().toISOString() }

/** As when its lease ends. */
async function dropClaim({ coordinator }: Machine, { job }: Order): Promise<void> {
  await coordinator.transact({ when: [], then: [remove(claimKey(job))] }, soon())
}

/** Back to the one attempt that others have spent; progress is written with two. */
function givesBack({ then }: Transaction): boolean {
  return then.some(
    (each) =>
      each.kind === 'put' && each.key.startsWith('/jobs/') && /"attempts":1\b/.test(each.value),
  )
}
