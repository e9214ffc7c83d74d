import { decodeModel, forecastModel } from '../../engine/src/index.ts'
import { sealed } from '../../engine/test/codec/seal.ts'
import { Unloadable } from '../../model-api/src/serving/load-version.ts'
import { type Random, seededRandom } from '../../shared/src/index.ts'
import { damage } from './damage.ts'
import { loadStored } from './load.ts'
import { flippedBit, type Sample } from './samples.ts'
import { spoil } from './spoil.ts'
import { consistent, type Stored, storedModel } from './stored.ts'

/** What is tried for one seed; violations as sentences. */
export type Attempts = (seed: number) => Promise<readonly string[]>

export function createAttempts(samples: readonly Sample[], load = loadStored): Attempts {
  const blobs = samples.map(({ bytes }) =>
    chunkCounts.map((count) => storedModel(bytes, Math.ceil(bytes.length / count))),
  )
  async function mustNotLoad(what: string, stored: Stored): Promise<string[]> {
    const outcome = await load(stored)
    if (outcome === 'loaded') return [`${what}: it was loaded`]
    const isNoticed = outcome instanceof Unloadable && /^(checksum|missing):/.test(outcome.message)
    return isNoticed ? [] : [`${what}: ${outcome.stack ?? outcome.message}`]
  }

  return async (seed) => {
    const random = seededRandom(seed)
    const which = Math.floor(random() * chunkCounts.length)
    const sizes = blobs.map((ofSample) => ofSample[which]!)
    // A prime far from any length: the flips of few seeds are spread over everything.
    const flipped = flippedBit(samples, seed * 1_000_003)
    const flip = `bit ${flipped.at} of ${flipped.name} flipped`
    const whole = sizes[samples.findIndex(({ name }) => name === flipped.name)]!
    const { name, bytes } = pick(random, samples)
    const stored = sizes[samples.findIndex((sample) => sample.name === name)]!
    const damaged = damage(stored, sizes, random)
    const others = samples.map((sample) => sample.bytes)
    const spoilt = spoil(bytes, others, random)
    return [
      ...(await mustNotLoad(flip, withBytes(whole, flipped.bytes))),
      ...(await mustNotLoad(`${flip}, sealed`, consistent(whole, flipped.bytes))),
      ...mustRefuse(flip, flipped.bytes),
      ...(await mustNotLoad(`${name}: ${damaged.name}`, damaged.stored)),
      ...mustBearWith(`${name}: ${spoilt.name}`, spoilt.bytes),
    ]
  }
}

/** A model in use has one for each 256 KiB. */
const chunkCounts = [2, 3, 7]

function withBytes(stored: Stored, content: Uint8Array): Stored {
  const { chunks } = consistent(stored, content)
  const kept = chunks.map((chunk, i) => ({ ...chunk, sha256: stored.chunks[i]!.sha256 }))
  return { ...stored, chunks: kept }
}

/** The decoder finds every flipped bit by itself. */
function mustRefuse(what: string, bytes: Uint8Array): string[] {
  const decoded = decodeModel(bytes)
  return decoded.kind === 'refused' ? [] : [`${what}: it was decoded`]
}

/**
 * With a checksum that fits, too, spoilt bytes may be those of a model: then it forecasts or says
 * why not. It neither throws nor takes long.
 */
function mustBearWith(what: string, bytes: Uint8Array): string[] {
  const before = process.threadCpuUsage()
  try {
    decodeModel(bytes)
    const decoded = bytes.length < 28 ? undefined : decodeModel(sealed(bytes))
    if (decoded && decoded.kind !== 'refused') forecastModel(decoded.value, ask)
  } catch (error) {
    return [`${what}, with its checksum made to fit: ${(error as Error).stack}`]
  }
  const { user, system } = process.threadCpuUsage(before)
  const tookMs = (user + system) / 1_000
  return tookMs > patienceMs ? [`${what}: decoding took ${Math.round(tookMs)} ms`] : []
}

const ask = { horizon: 8, quantiles: Float64Array.of(0.1, 0.9) }
/** Of the processor, whatever else the machine does: a millisecond is usual. */
const patienceMs = 500

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}
