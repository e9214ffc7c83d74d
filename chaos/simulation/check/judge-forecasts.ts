import type { VersionRecord } from '@almanac/shared'
import type { Ledger, ModelLedger } from './ledger.ts'
import type { ForecastRecord } from './records.ts'

export type Judged = {
  readonly ledger: Ledger
  /** The number that a data set is made of, by the id of its blob. */
  readonly numberIn: (blob: string) => number | undefined
}

/** What the answers of a schedule say against the promises, one sentence each. */
export function judgeForecasts(records: readonly ForecastRecord[], judged: Judged): string[] {
  const answered = records.filter(({ outcome }) => outcome.kind === 'answer')
  return [
    ...answered.flatMap((record) => judgeContent(record, judged)),
    ...[
      ...groupedBy(
        answered.filter(asksForServing),
        ({ broker, request }) => `${broker} ${request.model}`,
      ),
    ].flatMap(([, group]) => judgeOrder(group, judged.ledger)),
  ]
}

const asksForServing = ({ request }: ForecastRecord) => request.version === 'serving'

/** The answer is exactly what the version that it names computes. */
function judgeContent(record: ForecastRecord, { ledger, numberIn }: Judged): string[] {
  const { request, outcome } = record
  if (outcome.kind !== 'answer') return []
  const model = ledger.model(`default/${request.model}`)
  const version = model.versions.get(outcome.version)
  // Of a base, too: a shard that ended its processes is as it was, which its code says elsewhere.
  const values = basesFrom(model, version).map(({ dataset }) => numberIn(dataset.blob))
  const name = told(record)
  if (values[0] === undefined) return [`${name}: there is no such version`]
  const expected = values.map(
    (value) => `{"data":[${Array(request.horizon).fill(value).join(',')}]}`,
  )
  const faults = expected.includes(outcome.body)
    ? []
    : [`${name}: ${outcome.body}, not ${expected.join(' or ')}`]
  if (version?.blob === null) faults.push(`${name}: it was never stored`)
  if (typeof request.version === 'number' && request.version !== outcome.version)
    faults.push(`${name}: another version was asked for`)
  return faults
}

/** A version, the one that it goes on from or has all data of, and so on. */
export function basesFrom(
  model: Pick<ModelLedger, 'versions' | 'parts'>,
  version: VersionRecord | undefined,
): readonly VersionRecord[] {
  if (version === undefined) return []
  const before = version.base?.version ?? model.parts.get(version.version)?.at(-1)
  const base = before === undefined ? undefined : model.versions.get(before)
  return [version, ...basesFrom(model, base)]
}

/**
 * What one broker shows of one model never goes back: every answer belongs to a place in the order
 * in which versions began to serve, and no answer to a later request belongs to an earlier place.
 */
function judgeOrder(records: readonly ForecastRecord[], ledger: Ledger): string[] {
  const faults: string[] = []
  const ended = [...records].sort((a, b) => a.doneMs - b.doneMs)
  const placed = new Map<ForecastRecord, number>()
  for (const record of ended) {
    const before = ended.filter((other) => other.doneMs <= record.sentMs)
    const floor = Math.max(0, ...before.map((other) => placed.get(other) ?? 0))
    const model = ledger.model(`default/${record.request.model}`)
    const place = placeOf(record, model, floor)
    if (typeof place === 'number') placed.set(record, place)
    else faults.push(`${told(record)}: ${place}`)
  }
  return faults
}

function placeOf(record: ForecastRecord, model: ModelLedger, floor: number): number | string {
  const { outcome, doneMs } = record
  if (outcome.kind !== 'answer') return floor
  const places = model.served.filter(({ to, atMs }) => to === outcome.version && atMs <= doneMs)
  if (places.length === 0) return 'it had never been promoted'
  const place = places.find(({ changes }) => changes >= floor)
  return place?.changes ?? `this broker had shown what served later (change ${floor}) before`
}

export const told = ({ request, broker, sentMs, doneMs, outcome }: ForecastRecord): string => {
  const what = outcome.kind === 'answer' ? `version ${outcome.version}` : outcome.why
  const times = `${Math.round(sentMs)} to ${Math.round(doneMs)} ms`
  return `${what} of ${request.model}, answered by ${broker} (${times})`
}

function groupedBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(nameOf(item)) ?? []
    group.push(item)
    groups.set(nameOf(item), group)
  }
  return groups
}
