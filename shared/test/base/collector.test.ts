import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const collector = join(import.meta.dirname, '../../src/base/collector.ts')
const script = `
  import { PerformanceObserver, constants } from 'node:perf_hooks'
  import { setTimeout as delay } from 'node:timers/promises'
  import { countExternalMemory } from ${JSON.stringify(collector)}
  if (process.argv[1] === 'counted') countExternalMemory()
  let full = 0
  new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries())
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full += 1
  }).observe({ entryTypes: ['gc'] })
  for (let i = 0; i < 8_000; i++) {
    Buffer.allocUnsafeSlow(50_000)
    if (i % 20 === 0) await delay(1)
  }
  await delay(20)
  console.log(full)
`

test('buffers that come and go set off few full collections', () => {
  const fullOf = (how: string) =>
    Number(
      execFileSync(process.execPath, ['--input-type=module', '-e', script, how], {
        timeout: 15_000,
      }).toString(),
    )
  // 400 MB: one for each 64 MB, as V8 does it by itself.
  const [plain, counted] = [fullOf('plain'), fullOf('counted')]
  expect(plain).toBeGreaterThanOrEqual(4)
  expect(counted).toBeLessThanOrEqual(plain / 2)
})
