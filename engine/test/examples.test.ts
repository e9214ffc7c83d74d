import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../examples/', import.meta.url))
const examples = readdirSync(folder).filter((name) => name.endsWith('.ts'))
const read = (path: string) => readFileSync(path, 'utf8')

test('there are examples, each in the README and none of more than 60 lines', () => {
  const readme = read(fileURLToPath(new URL('../README.md', import.meta.url)))
  expect(examples.length).toBeGreaterThan(8)
  for (const name of examples) {
    expect(readme).toContain(`examples/${name}`)
    expect(read(folder + name).split('\n').length).toBeLessThan(60)
  }
})

test.each(examples)('the example %s runs, and prints finite numbers', async (name) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [folder + name], {
    timeout: 60_000,
  })
  expect(stderr).toBe('')
  const numbers = stdout.match(/-?\d+(\.\d+)?/g) ?? []
  expect(numbers.length).toBeGreaterThan(3)
  expect(stdout).not.toMatch(/undefined|Infinity|object Object/)
})
