import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { digests } from './digests.ts'

const script = new URL('print-digests.ts', import.meta.url)
const here = digests()

describe('the same series, spec and seed give the same models, forecasts and paths', () => {
  test('there is a digest of every case', () => {
    expect(Object.keys(here).length).toBeGreaterThan(20)
    expect(digests()).toEqual(here)
  })

  test.each([
    ['as it is', []],
    ['that only interprets', ['--no-sparkplug', '--no-maglev', '--no-turbofan']],
    ['without the best compiler', ['--maglev', '--no-turbofan']],
    ['that compiles all of it at once, as well as it can', ['--always-turbofan']],
  ])(
    'in a process %s',
    async (_, flags) => {
      const run = promisify(execFile)
      const { stdout } = await run(process.execPath, [...flags, fileURLToPath(script)])
      expect(JSON.parse(stdout)).toEqual(here)
    },
    60_000,
  )

  test('in a thread', async () => {
    const worker = new Worker(script)
    const [found] = await once(worker, 'message')
    await worker.terminate()
    expect(found).toEqual(here)
  })
})
