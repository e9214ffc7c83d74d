import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '../../src')

/** All that a file imports when it runs, files and packages, and what these import. */
function importsOf(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found
  found.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, type, name] of text.matchAll(/^(?:import|export)( type)?[^']*? from '([^']+)'/gm)) {
    if (type !== undefined) continue
    if (name!.startsWith('.')) importsOf(join(dirname(file), name!), found)
    else found.add(name!)
  }
  return found
}

test('native code is in the process of a table only, and in none that imports this package', () => {
  const native = '@duckdb/node-api'
  expect(importsOf(join(source, 'run/table-process.ts'))).toContain(native)
  expect(importsOf(join(source, 'index.ts'))).not.toContain(native)
})
