import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The bytes of a model as some version of the engine wrote them. */
export function readGolden(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`golden/${name}`, import.meta.url)))
}
