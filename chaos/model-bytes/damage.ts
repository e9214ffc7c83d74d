import type { Random } from '../../shared/src/index.ts'
import type { ChunkRow, ManifestRow } from '../../shared/src/store/rows.ts'
import { spoil } from './spoil.ts'
import { consistent, contentOf, resealed, type Stored, sha256Of } from './stored.ts'

export type Damage = { readonly name: string; readonly stored: Stored }

/** Something that is not what was written, in what the database gives or in what points to it. */
export function damage(stored: Stored, others: readonly Stored[], random: Random): Damage {
  const [name, change] = pick(random, random() < 0.5 ? byBytes : byRows)
  return { name, stored: change(stored, random, others) }
}

type Change = (stored: Stored, random: Random, others: readonly Stored[]) => Stored

/** Other content, with ever more of the checksums made to fit it. */
const byBytes: readonly (readonly [string, Change])[] = [
  [
    'other content',
    (stored, random, others) => {
      const changed = consistent(stored, spoilt(stored, random, others))
      const chunks = changed.chunks.map((chunk) => ({
        ...chunk,
        sha256: stored.chunks[chunk.number]?.sha256 ?? chunk.sha256,
      }))
      return withOther(stored, chunks)
    },
  ],
  [
    'other content, with its chunks sealed',
    (stored, random, others) => {
      const { chunks } = consistent(stored, spoilt(stored, random, others))
      return withOther(stored, chunks)
    },
  ],
  [
    'other content, with its chunks and its manifest sealed',
    (stored, random, others) => consistent(stored, spoilt(stored, random, others)),
  ],
]

const byRows: readonly (readonly [string, Change])[] = [
  ['a blob that is gone', (stored) => ({ ...stored, row: undefined, chunks: [] })],
  [
    'an upload that never ended',
    (stored) => ({ ...stored, row: stored.row && { ...stored.row, manifest: null } }),
  ],
  ['no chunks', (stored) => ({ ...stored, chunks: [] })],
  [
    'a lost chunk',
    (stored, random) => ({
      ...stored,
      chunks: stored.chunks.toSpliced(below(random, stored.chunks.length), 1),
    }),
  ],
  [
    'two chunks in exchanged places',
    withChunks((chunks, random) => {
      const [a, b] = two(chunks, random)
      return chunks.with(a.number, { ...b, number: a.number }).with(b.number, {
        ...a,
        number: b.number,
      })
    }),
  ],
  [
    'two chunks with exchanged numbers',
    withChunks((chunks, random) => {
      const [a, b] = two(chunks, random)
      return chunks.map((chunk) => {
        if (chunk === a) return { ...a, number: b.number }
        return chunk === b ? { ...b, number: a.number } : chunk
      })
    }),
  ],
  [
    'a chunk in the place of another',
    withChunks((chunks, random) => {
      const [a, b] = two(chunks, random)
      return chunks.with(a.number, { ...b, number: a.number })
    }),
  ],
  [
    'a chunk of another model',
    (stored, random, others) => {
      const foreign = pick(random, pick(random, others).chunks)
      const at = below(random, stored.chunks.length)
      if (foreign.sha256 === stored.chunks[at]?.sha256) return withoutChunk(stored, at)
      return { ...stored, chunks: stored.chunks.with(at, { ...foreign, number: at }) }
    },
  ],
  [
    'a chunk with another checksum',
    (stored, random) => {
      const at = below(random, stored.chunks.length)
      const chunk = stored.chunks[at]!
      const sha256 = otherText(chunk.sha256, random)
      return { ...stored, chunks: stored.chunks.with(at, { ...chunk, sha256 }) }
    },
  ],
  ['another manifest', (stored, random) => withManifest(stored, random, (_, changed) => changed)],
  ['another manifest, sealed', (stored, random) => withManifest(stored, random, resealed)],
  [
    'another size',
    (stored, random) => {
      const { row } = stored
      const sizeBytes = pick(random, [0, -1, 1e9, 2 ** 53, (row?.sizeBytes ?? 0) + 1, Number.NaN])
      return { ...stored, row: row && { ...row, sizeBytes } }
    },
  ],
  [
    'a record with another checksum',
    (stored, random) => {
      const sha256 = otherText(stored.record.sha256 ?? '', random)
      return { ...stored, record: { ...stored.record, sha256 } }
    },
  ],
  [
    'another model, whole',
    (stored, random, others) => {
      const other = pick(
        random,
        others.filter(({ record }) => record.sha256 !== stored.record.sha256),
      )
      return { ...other, record: stored.record }
    },
  ],
]

function spoilt(stored: Stored, random: Random, others: readonly Stored[]): Uint8Array {
  return spoil(contentOf(stored), others.map(contentOf), random).bytes
}

/** Chunks beyond the last one are not read: they are no damage. */
function withOther(stored: Stored, chunks: readonly ChunkRow[]): Stored {
  const isSame = stored.chunks.every(({ bytes }, i) => {
    const other = chunks[i]
    return other && Buffer.compare(bytes, other.bytes) === 0
  })
  return isSame ? withoutChunk(stored, 0) : { ...stored, chunks }
}

/** A model of a single chunk, or of equal ones, loses one instead. */
function withChunks(
  change: (chunks: readonly ChunkRow[], random: Random) => readonly ChunkRow[],
): Change {
  return (stored, random) => {
    const sums = new Set(stored.chunks.map(({ sha256 }) => sha256))
    if (sums.size < 2) return withoutChunk(stored, 0)
    return { ...stored, chunks: change(stored.chunks, random) }
  }
}

const withoutChunk = (stored: Stored, at: number): Stored => ({
  ...stored,
  chunks: stored.chunks.toSpliced(at, 1),
})

/** Two that differ. */
function two(chunks: readonly ChunkRow[], random: Random): [ChunkRow, ChunkRow] {
  const one = pick(random, chunks)
  const others = chunks.filter(({ sha256 }) => sha256 !== one.sha256)
  return [one, pick(random, others)]
}

function withManifest(stored: Stored, random: Random, seal: typeof resealed): Stored {
  const { row } = stored
  if (row?.manifest == null) return stored
  const { manifest } = row
  const sizes = [0, -1, 1, 1.5, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]
  const changed = pick<ManifestRow>(random, [
    { ...manifest, sha256: otherText(manifest.sha256, random) },
    { ...manifest, sha256: sha256Of(Uint8Array.of(1)) },
    { ...manifest, chunkCount: pick(random, [...sizes, manifest.chunkCount + 1]) },
    { ...manifest, chunkBytes: pick(random, [...sizes, manifest.chunkBytes + 1]) },
    { ...manifest, chunkCount: manifest.chunkCount * 2, chunkBytes: manifest.chunkBytes / 2 },
  ])
  return { ...stored, row: { ...row, manifest: seal(row, changed) } }
}

/** One character, or the length, is another. */
function otherText(text: string, random: Random): string {
  const at = below(random, text.length)
  const other = pick(
    random,
    [...'0f', 'F', ' ', 'é'].filter((letter) => letter !== text[at]),
  )
  const spoilt = text.slice(0, at) + other + text.slice(at + 1)
  return pick(random, [spoilt, text.slice(0, at), `${text}0`])
}

const below = (random: Random, end: number) => Math.floor(random() * end)

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T
}
