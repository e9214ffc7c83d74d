import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loggedBugs } from '../../faults/log-scan.ts'
import type { Part } from '../../topology/topology.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-logs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('errors that the code did not expect are found once, outages and noise are not', async () => {
  const logFile = join(folder, 'node-1.log')
  const line = (type: string, message: string) =>
    JSON.stringify({ level: 'warn', event: 'not-written', err: { type, message, stack: '…' } })
  const lines = [
    line('Unavailable', 'etcd is away'),
    line('TypeError', 'x is not a function'),
    line('TypeError', 'x is not a function'),
    'no JSON at all "err"',
    '{"level":"info","event":"listening"}',
  ]
  await writeFile(logFile, lines.join('\n'))
  expect(await loggedBugs([{ name: 'node-1', logFile } as Part])).toEqual([
    'node-1 logged not-written: TypeError: x is not a function',
  ])
})
