import {
  type Comparison,
  type Coordinator,
  codec,
  codecs,
  Dataset,
  encodeDataset,
  limits,
  type ModelName,
  modifiedAt,
  parseKey,
  Refused,
  type VersionRecord,
  versionKey,
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
 * a version between is not kept any more, 422 where they are too many.
 */
export async function joinData(
  parts: Parts,
  of: ModelName,
  newest: VersionRecord,
  read: (blob: string) => Promise<Uint8Array>,
): Promise<FitData> {
  const chain = await chainOf(parts, of, newest)
  const y: (number | null)[] = []
  let first: Dataset['series'][number] | undefined
  for (const { record } of chain) {
    const { blob } = record.dataset
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

/** The parts of the data of many series, and what has to be as it was for them to be kept. */
export type DataParts = {
  readonly parts: NonNullable<VersionRecord['parts']>
  readonly when: readonly Comparison[]
}

/**
 * Where the parts of the data of many series are: a node joins them, since they may be gigabytes.
 * Throws `Refused`: 410 where a version between is not kept any more, 422 where they are too many.
 */
export async function dataParts(
  parts: Parts,
  of: ModelName,
  newest: VersionRecord,
): Promise<DataParts> {
  const chain = await chainOf(parts, of, newest)
  if (chain.length > limits.refitPartsMax) throw tooManyParts(of, newest)
  return {
    parts: chain.map(({ record: { version, dataset } }) => ({ version, ...dataset })),
    when: chain.map(({ record, modRevision }) =>
      modifiedAt(versionKey(of, record.version), modRevision),
    ),
  }
}

type Link = { readonly record: VersionRecord; readonly modRevision: number }

/** The versions that a version goes back to, from the fit on, up to itself. */
async function chainOf(
  { coordinator, bounds }: Parts,
  of: ModelName,
  newest: VersionRecord,
): Promise<readonly Link[]> {
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const { entries } = await coordinator.list(versionsPrefix(of), signal)
  const known = new Map(
    entries.flatMap((entry) => {
      const parsed = parseKey(entry.key)
      return parsed.kind === 'version' ? [[parsed.version, entry] as const] : []
    }),
  )
  const chain: Link[] = []
  for (let next: number | undefined = newest.version; next !== undefined; ) {
    const entry = known.get(next)
    const decoded = codecs.version.decode(entry?.value ?? '')
    if (entry === undefined || !decoded.ok) throw collected(of, next)
    chain.unshift({ record: decoded.value, modRevision: entry.modRevision })
    next = decoded.value.base?.version
  }
  return chain
}

function tooManyParts({ model }: ModelName, { version }: VersionRecord): Refused {
  const { refitPartsMax: most } = limits
  const detail = `The data of version ${version} of ${model} came in more than ${most} parts.`
  return new Refused(422, 'too-many-updates', detail, {
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
