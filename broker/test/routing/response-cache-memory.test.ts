import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const cache = join(import.meta.dirname, '../../src/routing/response-cache.ts')
/** The cache is filled, and then many answers pass that it does not take. */
const script = `
  import { createResponseCache } from ${JSON.stringify(cache)}
  const cache = createResponseCache(30_000_000)
  const answerOf = (n) => ({
    version: 1,
    etag: '"' + n + '"',
    contentType: 'application/json',
    body: Buffer.allocUnsafeSlow(10_000),
  })
  let full
  let most = 0
  for (let n = 0; n < 12_000; n++) {
    cache.set('answer ' + n, answerOf(n))
    if (n % 200 !== 0) continue
    gc({ type: 'minor' })
    await new Promise((done) => setImmediate(done))
    const now = process.memoryUsage().arrayBuffers
    if (n > 4_000) full ??= now
    if (full !== undefined) most = Math.max(most, now - full)
  }
  console.log(most / 1e6)
`

test('answers that are not kept go with the next quick collection', () => {
  // V8 decides what to make old when the new generation is as large as it may be.
  const flags = ['--expose-gc', '--max-semi-space-size=1', '--min-semi-space-size=1']
  const args = [...flags, '--input-type=module', '-e', script]
  const keptMb = Number(execFileSync(process.execPath, args, { timeout: 30_000 }).toString())
  // Twice the 2 MB that come between two collections; 80 MB come altogether.
  expect(keptMb).toBeLessThan(5)
})
