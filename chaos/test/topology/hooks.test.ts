import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const preload = resolve(import.meta.dirname, '../../topology/hooks/preload.ts')

describe('what is done to a process from inside', () => {
  let folder: string
  const servers: Server[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'almanac-hooks-'))
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function serverThatSays(word: string): Promise<string> {
    const server = createServer((socket) => socket.end(word)).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function run(script: string, env: Readonly<Record<string, string>>): Promise<string> {
    const file = join(folder, 'script.mjs')
    await writeFile(file, script)
    const args = ['--import', preload, file]
    const options = { env: { ...process.env, ...env }, timeout: 15_000 }
    const { stdout } = await promisify(execFile)(process.execPath, args, options)
    return stdout.trim()
  }

  test('a connection to an address that is redirected reaches the proxy, any other its own', async () => {
    const real = await serverThatSays('real')
    const proxy = await serverThatSays('proxy')
    const other = await serverThatSays('other')
    const script = `
      import { connect, Socket } from 'node:net'
      import { text } from 'node:stream/consumers'
      const ask = (address) => {
        const [host, port] = address.split(':')
        return text(connect({ host, port: Number(port) }))
      }
      console.log(await ask('${real}'), await ask('${other}'))
      const [host, port] = '${real}'.split(':')
      console.log(await text(connect(Number(port), host)))
      // As the driver of the database does it.
      console.log(await text(new Socket().connect(port, host, () => {})))
      console.log(await text(new Socket().connect(Number(port), host)))`
    const env = { ALMANAC_CHAOS_REDIRECT: JSON.stringify({ [real]: proxy }) }
    expect(await run(script, env)).toBe('proxy other\nproxy\nproxy\nproxy')
  })

  test('the wall clock moves while the process runs, the monotonic one does not', async () => {
    const controls = join(folder, 'controls.json')
    await writeFile(controls, JSON.stringify({ clockMs: 3_600_000, ballastMb: 0 }))
    const script = `
      import { renameSync, writeFileSync } from 'node:fs'
      import { setTimeout as delay } from 'node:timers/promises'
      const monotonicMs = () => performance.timeOrigin + performance.now()
      const wallMs = () => Math.round((Date.now() - monotonicMs()) / 60000)
      const first = wallMs()
      const isDate = new Date() instanceof Date && Math.abs(new Date() - Date.now()) < 1000
      writeFileSync('${controls}.new', JSON.stringify({ clockMs: -600000, ballastMb: 5 }))
      renameSync('${controls}.new', '${controls}')
      for (let i = 0; i < 50 && wallMs() === first; i++) await delay(50)
      console.log(first, wallMs(), isDate)`
    expect(await run(script, { ALMANAC_CHAOS_CONTROLS: controls })).toBe('60 -10 true')
  })
})
