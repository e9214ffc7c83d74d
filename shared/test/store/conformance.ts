import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../src/index.ts'
import type { Backend } from './backend.ts'
import { blobTests } from './conformance-blobs.ts'
import { damageTests } from './conformance-damage.ts'
import { garbageTests } from './conformance-garbage.ts'
import { recordTests } from './conformance-records.ts'

/** What the suites work with: both are there once `beforeAll` has run. */
export type Bench = { readonly backend: () => Backend; readonly store: () => Store }

/** Registers what every adapter of the store must do. */
export function storeConformance(name: string, start: () => Promise<Backend>): void {
  describe(name, () => {
    let backend: Backend
    let store: Store
    beforeAll(async () => {
      backend = await start()
      store = await backend.open()
    })
    afterAll(async () => {
      await store?.close()
      await backend?.stop()
    })
    const bench: Bench = { backend: () => backend, store: () => store }
    blobTests(bench)
    damageTests(bench)
    garbageTests(bench)
    recordTests(bench)
    closeTests(bench)
  })
}

function closeTests(bench: Bench): void {
  test('a process that closes its store ends by itself', async () => {
    const script = join(import.meta.dirname, 'fixtures', 'close-cleanly.ts')
    const options = JSON.stringify(bench.backend().childOptions)
    const child = spawn(process.execPath, [script, options], { stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
    })
    child.stderr.on('data', (text) => {
      said += text
    })
    const [code] = await once(child, 'exit')
    clearTimeout(timer)
    expect({ code, said }).toEqual({ code: 0, said: 'closed\n' })
  })

  test('calls after close reject with Unavailable', async () => {
    const other = await bench.backend().open()
    await other.close()
    await expect(other.ping(new AbortController().signal)).rejects.toMatchObject({
      name: 'Unavailable',
      part: 'store',
    })
  })
}
