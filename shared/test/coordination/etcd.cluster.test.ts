import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { absent, openEtcdCoordinator, put } from '../../src/index.ts'
import { startChild } from '../support/child.ts'
import { coordinatorConformance } from './conformance.ts'
import { someEtcd } from './real-etcd.ts'

const { signal } = new AbortController()
let endpoints: readonly string[] = []
let removeEtcd = async () => {}
beforeAll(async () => {
  const some = await someEtcd()
  endpoints = some.endpoints
  removeEtcd = some.remove
})
afterAll(async () => {
  await removeEtcd()
})

// Generous, since the machines that test are busy: how late an answer may be is tested elsewhere.
const callTimeoutMs = 10_000
const open = (prefix: string) => openEtcdCoordinator({ endpoints, prefix, callTimeoutMs })

coordinatorConformance({
  name: 'etcd',
  leaseTtlMs: 2_000,
  async open() {
    const prefix = `/test-${randomUUID()}`
    const [one, other] = [await open(prefix), await open(prefix)]
    return {
      one,
      other,
      close: async () => {
        await Promise.all([one.close(), other.close()])
      },
    }
  },
})

describe('one etcd for several clusters', () => {
  test('keys are literally what the prefix and the key say, and nobody sees those of others', async () => {
    const root = `/test-${randomUUID()}`
    const [all, left, right] = [await open(''), await open(`${root}/l`), await open(`${root}/r`)]
    const create = { when: [absent('/a')], then: [put('/a', '1')] }
    expect((await left.transact(create, signal)).succeeded).toBe(true)
    expect((await right.transact(create, signal)).succeeded).toBe(true)
    expect((await left.list('', signal)).entries.map(({ key }) => key)).toEqual(['/a'])
    const { entries } = await all.list(root, signal)
    expect(entries.map(({ key }) => key)).toEqual([`${root}/l/a`, `${root}/r/a`])
    await Promise.all([all.close(), left.close(), right.close()])
  })

  test('a closed coordinator keeps no process alive', async () => {
    const file = join(import.meta.dirname, 'children/use-and-close.ts')
    const child = startChild(file, ['etcd', endpoints[0] as string])
    expect(await child.ended(20_000)).toBe(0)
    expect(child.lines).toEqual(['closed'])
  })
})
