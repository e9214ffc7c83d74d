import { readFile } from 'node:fs/promises'
import { codec } from '@almanac/shared'
import { Type } from 'typebox'
import type { Part } from '../topology/topology.ts'

const Line = codec(
  Type.Object({
    event: Type.Optional(Type.String()),
    err: Type.Object({ type: Type.String(), message: Type.String() }),
  }),
)

/** Errors that no outage explains: the code did not expect them. */
const unexpected = new Set([
  ...['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError', 'AssertionError', 'Bug'],
])

/** What the processes have logged of such errors, each once; texts end after so many characters. */
export async function loggedBugs(parts: readonly Part[]): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const { name, logFile } of parts) {
    const log = await readFile(logFile, 'utf8')
    for (const line of log.split('\n')) {
      if (!line.includes('"err"')) continue
      const read = Line.decode(line)
      if (!read.ok || !unexpected.has(read.value.err.type)) continue
      const { event = 'an error', err } = read.value
      found.add(`${name} logged ${event}: ${err.type}: ${err.message.slice(0, 300)}`)
    }
  }
  return [...found]
}
