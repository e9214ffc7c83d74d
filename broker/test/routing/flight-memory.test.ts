import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const flight = join(import.meta.dirname, '../../src/routing/flight.ts')
/** A few questions are always under way, each answered by 100 kB that nobody keeps. */
const script = `
  import { createFlights } from ${JSON.stringify(flight)}
  const flights = createFlights()
  const open = []
  const askAndLand = async (name) => {
    const { promise, resolve } = Promise.withResolvers()
    flights.join(name, () => promise)
    open.push(() => resolve(Buffer.allocUnsafeSlow(100_000)))
    if (open.length > 5) open.shift()()
    await new Promise((done) => setImmediate(done))
  }
  const collectQuickly = () => gc({ type: 'minor' })
  await askAndLand('first')
  for (let i = 0; i < 4; i++) collectQuickly()
  const before = process.memoryUsage().arrayBuffers
  let most = before
  for (let i = 0; i < 250; i++) {
    await askAndLand('question ' + i)
    if (i % 20 === 0) collectQuickly()
    if (i % 20 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers)
  }
  console.log((most - before) / 1e6)
`

test('what has landed goes with the next quick collection', () => {
  const args = ['--expose-gc', '--input-type=module', '-e', script]
  const keptMb = Number(execFileSync(process.execPath, args, { timeout: 15_000 }).toString())
  // Twice the 2 MB that are asked for between two collections; 25 MB are asked for altogether.
  expect(keptMb).toBeLessThan(4)
})
