import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Sample = { readonly name: string; readonly bytes: Uint8Array }

const folder = join(import.meta.dirname, '../../engine/test/golden')

/** A stored model of every family and format, as the release that made it wrote it. */
export function readSamples(): readonly Sample[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.bin'))
    .sort()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }))
}

/** All samples behind one another: the n-th bit of this, modulo its length. */
export function flippedBit(
  samples: readonly Sample[],
  n: number,
): Sample & { readonly at: number } {
  const all = samples.reduce((sum, { bytes }) => sum + bytes.length * 8, 0)
  let bit = n % all
  for (const { name, bytes } of samples) {
    if (bit >= bytes.length * 8) {
      bit -= bytes.length * 8
      continue
    }
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    return { name, bytes: flipped, at: bit }
  }
  throw new Error('there are no samples')
}
