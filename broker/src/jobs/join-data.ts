import {
  type Coordinator,
  codec,
  codecs,
  Dataset,
  encodeDataset,
  limits,
  type ModelName,
  parseKey,
  Refused,
  type VersionRecord,
  versionsPrefix,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { collected } from './refit-refusals.ts'
import type { FitData } from './store-data.ts'

type Parts = {
  readonly coordinator: Coordinator
  readonly bounds: Pick<Bounds, 'coordinatorCallMs'>
}

const datasets = codec(Dataset)
const text = new TextDecoder()

/**
 * All observations of one series that came in parts: those of the fit, and of each update after it.
 * Each is right after the one before, with what is missing in between. Throws `Refused`: 410 where
 * a version between is not kept any more, 422 for many series.
 */
export async function joinData(
  parts: Parts,
  of: ModelName,
  newest: VersionRecord,
  read: (blob: string) => Promise<Uint8Array>,
): Promise<FitData> {
  if (newest.series !== undefined) throw inParts(of, newest)
  const chain = await chainOf(parts, of, newest)
  const y: (number | null)[] = []
  let first: Dataset['series'][number] | undefined
  for (const blob of chain) {
    const decoded = datasets.decode(text.decode(await read(blob)))
    if (!decoded.ok) throw new Refused(500, 'unreadable', `The data set ${blob}: ${decoded.fault}`)
    const [series] = decoded.value.series
    first ??= series
    for (const value of series!.y) y.push(value)
  }
  if (y.length > limits.observationsMax) throw tooMany(of, y.length)
  const about = first ?? { key: null, start: null, frequency: null }
  const dataset = Uint8Array.from(encodeDataset({ format: 1, series: [{ ...about, y }] }))
  return { kind: 'one', dataset, observations: y.length }
}

/** The data sets from the fit on, oldest first. */
async function chainOf(
  { coordinator, bounds }: Parts,
  of: ModelName,
  newest: VersionRecord,
): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const { entries } = await coordinator.list(versionsPrefix(of), signal)
  const known = new Map(
    entries.flatMap(({ key, value }) => {
      const parsed = parseKey(key)
      return parsed.kind === 'version' ? [[parsed.version, value] as const] : []
    }),
  )
  const blobs: string[] = []
  for (let version = newest; ; ) {
    blobs.unshift(version.dataset.blob)
    const { base } = version
    if (base === undefined) return blobs
    const decoded = codecs.version.decode(known.get(base.version) ?? '')
    if (!decoded.ok) throw collected(of, base.version)
    version = decoded.value
  }
}

function inParts({ model }: ModelName, { version }: VersionRecord): Refused {
  const detail = `The data of version ${version} of ${model}, which has many series, came in parts.`
  return new Refused(422, 'data-in-parts', detail, {
    remedy:
      'Fit it of a table that has all of it, or send all of it: POST /api/models/{model}/fit.',
  })
}

function tooMany({ model }: ModelName, count: number): Refused {
  const detail = `${model} has ${count} observations by now, more than ${limits.observationsMax}.`
  return new Refused(422, 'too-many', detail, {
    remedy: 'Fit it with the newest of them: POST /api/models/{model}/fit.',
  })
}
