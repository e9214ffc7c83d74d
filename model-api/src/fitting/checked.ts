import { hash } from 'node:crypto'
import { Damaged } from '@almanac/shared'

/** The bytes, where they are those that were meant. Throws `Damaged`, which names them. */
export function checked(bytes: Uint8Array, wanted: string, name: string): Uint8Array {
  const sha256 = hash('sha256', bytes, 'hex')
  if (sha256 === wanted) return bytes
  throw new Damaged(`${name} has SHA-256 ${sha256}, not ${wanted}.`)
}
