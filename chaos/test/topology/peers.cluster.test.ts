import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Etcd, peerHost, startEtcd } from '../../../deploy/local/etcd.ts'
import { startPeerProxies } from '../../topology/peers/start.ts'
import { stablePorts } from '../../topology/ports.ts'

const names = ['etcd-1', 'etcd-2', 'etcd-3']
const healthMs = 1_000
const changeMs = 20_000

let folder: string
let etcd: Etcd
let openAll: () => ReturnType<typeof startPeerProxies>
let proxies: Awaited<ReturnType<typeof startPeerProxies>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-peers-'))
  const free = await stablePorts(3 * names.length)
  const ports = names.map((_, i) => {
    const [clientPort, peerPort, peerProxyPort] = free.slice(3 * i) as [number, number, number]
    return { clientPort, peerPort, peerProxyPort }
  })
  const ways = Object.fromEntries(ports.map((each, i) => [peerHost(each, i), each.peerPort]))
  openAll = () => startPeerProxies(ports.map(({ peerProxyPort: port }) => ({ port, ways })))
  proxies = await openAll()
  etcd = await startEtcd({ dataDir: join(folder, 'etcd'), ports })
}, 120_000)

afterAll(async () => {
  await etcd?.kill()
  await proxies?.close()
  await rm(folder, { recursive: true, force: true })
})

/** Of those that have a leader and can commit, how many there are. */
async function healthy(): Promise<number> {
  const said = await Promise.all(
    etcd.endpoints.map(async (endpoint) => {
      const signal = AbortSignal.timeout(healthMs)
      const answer = await fetch(`${endpoint}/health`, { signal }).catch(() => undefined)
      return answer?.ok === true
    }),
  )
  return said.filter((is) => is).length
}

async function untilHealthy(wanted: number): Promise<number> {
  const untilMs = performance.now() + changeMs
  for (;;) {
    const count = await healthy()
    if (count === wanted || performance.now() > untilMs) return count
    await delay(200)
  }
}

test('members of etcd hear of each other through their proxies, and in no other way', async () => {
  expect(await untilHealthy(3)).toBe(3)
  await proxies.close()
  expect(await untilHealthy(0)).toBe(0)
  proxies = await openAll()
  expect(await untilHealthy(3)).toBe(3)
}, 90_000)
