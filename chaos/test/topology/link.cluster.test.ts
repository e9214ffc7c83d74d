import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { linkOver, proxyName, standingToxics } from '../../topology/link.ts'
import { stablePorts } from '../../topology/ports.ts'
import type { Link } from '../../topology/topology.ts'
import { installToxiproxy } from '../../topology/toxiproxy/install.ts'
import { startToxiproxy, type Toxiproxy } from '../../topology/toxiproxy/server.ts'

describe('a way through toxiproxy', () => {
  let folder: string
  let server: Server
  let toxiproxy: Toxiproxy
  let link: Link
  let port: number
  let heard: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'almanac-links-'))
    const [listenPort, apiPort] = (await stablePorts(2)) as [number, number]
    port = listenPort
    server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        heard += String(data)
        socket.write(`said ${data}`)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const upstream = `127.0.0.1:${(server.address() as AddressInfo).port}`
    toxiproxy = await startToxiproxy({
      name: 'test',
      binary: await installToxiproxy(),
      apiPort,
      proxies: [{ name: proxyName('a', 'b'), listen: `127.0.0.1:${port}`, upstream }],
      toxics: standingToxics,
      logFile: join(folder, 'toxiproxy.log'),
      log: () => {},
    })
    link = linkOver('a', 'b', toxiproxy)
  }, 120_000)
  afterAll(async () => {
    await toxiproxy?.close()
    server?.close()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    heard = ''
    await link.heal()
  })

  /** A connection, what it has received, and whether it has ended. */
  async function caller() {
    const socket: Socket = connect(port, '127.0.0.1')
    const state = { received: '', isOver: false, say: (word: string) => socket.write(word) }
    socket.on('data', (data) => {
      state.received += String(data)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      state.isOver = true
    })
    await once(socket, 'connect').catch(() => {})
    return state
  }
  const soon = (look: () => boolean) => expect.poll(look, { timeout: 3_000 }).toBe(true)

  test('everything passes, and passes again after each harm is healed', async () => {
    const harms = [
      () => link.delay(100, 10),
      () => link.hold(),
      () => link.swallow('answers'),
      () => link.refuse(),
      () => link.reset(1, 0),
      () => link.throttle(1),
    ]
    for (const harm of harms) {
      await harm()
      await link.heal()
      const call = await caller()
      call.say('hello')
      await soon(() => call.received === 'said hello')
    }
  })

  test('what is held passes when it is healed, on the same connection', async () => {
    const call = await caller()
    call.say('one ')
    await soon(() => call.received === 'said one ')
    await link.hold()
    call.say('two ')
    await delay(300)
    expect([heard, call.isOver]).toEqual(['one ', false])
    await link.heal()
    await soon(() => call.received === 'said one said two ')
    expect(call.isOver).toBe(false)
  })

  test('what is swallowed never arrives, and its connection ends when it is healed', async () => {
    const call = await caller()
    await link.swallow()
    call.say('lost')
    await delay(300)
    expect(call.isOver).toBe(false)
    await link.heal()
    await soon(() => call.isOver)
    expect([heard, call.received]).toEqual(['', ''])
  })

  test('one direction is held while the other passes', async () => {
    const call = await caller()
    await link.hold('answers')
    call.say('one')
    await soon(() => heard === 'one')
    await delay(200)
    expect(call.received).toBe('')
    await link.heal()
    await soon(() => call.received === 'said one')
    await link.hold('requests')
    call.say('two')
    await delay(200)
    expect(heard).toBe('one')
  })

  test('connections are cut at once, refused while it is asked for, and slow', async () => {
    const call = await caller()
    await link.cut()
    await soon(() => call.isOver)
    const again = await caller()
    expect(again.isOver).toBe(false)
    await link.refuse()
    await soon(() => again.isOver)
    await soon(() => call.isOver)
    const refused = await caller()
    await soon(() => refused.isOver)
    await link.heal()
    await link.delay(200, 0)
    const slow = await caller()
    const saidMs = performance.now()
    slow.say('slowly')
    await soon(() => slow.received === 'said slowly')
    expect(performance.now() - saidMs).toBeGreaterThan(390)
  })

  test('a toxiproxy that answers no more is replaced, and does what was asked of it before', async () => {
    await link.refuse()
    process.kill(toxiproxy.pid() as number, 'SIGSTOP')
    await link.delay(1, 0)
    const refused = await caller()
    await soon(() => refused.isOver)
    process.kill(toxiproxy.pid() as number, 'SIGSTOP')
    await link.heal()
    const call = await caller()
    call.say('hello')
    await soon(() => call.received === 'said hello')
  })
})
