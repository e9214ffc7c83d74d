import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import {
  badFormat,
  type Column,
  claimedFamily,
  decodeContainer,
  encodeContainer,
} from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import { rungNames } from './ladder.ts'
import type { AutomaticModel, Calibration, Member } from './model.ts'
import { partOf, parts } from './parts.ts'
import type { Repairs } from './repairs.ts'
import { type MemberName, memberNames } from './roster.ts'
import { parseAutomaticSpec } from './spec.ts'

/** What `encodeAutomatic` writes and the newest that `decodeAutomatic` reads. */
export const automaticFormat = 1

/**
 * Format 1: the spec and the choice as text, seasons, counts, places and values of repairs,
 * weights, the calibration, and a container for each member.
 */
export function encodeAutomatic(model: AutomaticModel): Uint8Array {
  const { calibration: c, members, repairs } = model
  const names = members.map(({ name }) => name).join(',')
  const columns = new Map<string, Column>([
    ['spec', specColumn(model.spec)],
    ['rung', model.rung],
    ['members', names],
    ['seasons', Int32Array.from(model.seasons)],
    ['counts', Int32Array.of(model.skipped, model.taken, c.scores)],
    ['places', repairs.places],
    ['originals', repairs.originals],
    ['substitutes', repairs.substitutes],
    ['weights', Float64Array.from(members, ({ weight }) => weight)],
    [
      'calibration',
      Float64Array.of(c.scale, c.growth, c.degrees, c.disagreement, c.covered80, c.covered95),
    ],
  ])
  for (const [i, { model: part }] of members.entries()) {
    columns.set(`member-${i}`, partOf(part).encode(part))
  }
  return encodeContainer({ family: 'automatic', familyFormat: automaticFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeAutomatic(bytes: Uint8Array): Outcome<AutomaticModel> {
  const container = decodeContainer(bytes)
  if (container.kind === 'refused') return container
  const count = container.value.columns.size - plainColumns.length
  const memberColumns = Array.from({ length: Math.max(1, count) }, (_, i) => `member-${i}`)
  const columns = [...plainColumns, ...memberColumns]
  const read = readColumns(bytes, { family: 'automatic', format: automaticFormat, columns })
  return read.kind === 'refused' ? read : readModel(read.value, count)
}

/** Bytes that a model keeps in memory: those of its members, and a little. */
export function automaticBytes(model: AutomaticModel): number {
  return model.members.reduce(
    (sum, { model: part }) => sum + partOf(part).sizeBytes(part),
    bytesOf([model.repairs.places, model.repairs.originals, model.repairs.substitutes]),
  )
}

const plainColumns = [
  ...['spec', 'rung', 'members', 'seasons', 'counts', 'places', 'originals', 'substitutes'],
  ...['weights', 'calibration'],
]

function readModel(columns: ReadonlyMap<string, Column>, count: number): Outcome<AutomaticModel> {
  const spec = readSpec(columns.get('spec'), parseAutomaticSpec)
  if (spec === undefined) return badFormat('the spec is invalid')
  const rung = rungNames.find((name) => name === columns.get('rung'))
  if (rung === undefined) return badFormat('the rung is not known')
  const seasons = readSeasons(columns.get('seasons'))
  const counts = integers(columns.get('counts'), 3, 0, limits.observationsMax)
  if (seasons === undefined || counts === undefined) return badFormat('counts are out of range')
  const [skipped = 0, taken = 0, scores = 0] = counts
  const repairs = readRepairs(columns)
  if (repairs === undefined) return badFormat('the repairs are invalid')
  const calibration = readCalibration(columns.get('calibration'), scores)
  if (calibration === undefined) return badFormat('the calibration is out of range')
  const members = readMembers(columns, count)
  if (members.kind === 'refused') return members
  const family = 'automatic'
  const counted = { skipped, taken, repairs, members: members.value }
  return done({ family, spec, rung, seasons, ...counted, calibration })
}

function readSeasons(column: Column | undefined): number[] | undefined {
  if (!(column instanceof Int32Array) || column.length > limits.seasonsMax) return undefined
  const ascend = column.every(
    (length, i) => length > (i === 0 ? 1 : column[i - 1]!) && length <= limits.seasonLengthMax,
  )
  return ascend ? [...column] : undefined
}

function readRepairs(columns: ReadonlyMap<string, Column>): Repairs | undefined {
  const column = columns.get('places')
  if (!(column instanceof Int32Array) || column.length > limits.observationsMax) return undefined
  const places = integers(column, column.length, 0, limits.observationsMax)
  const ascend = column.every((place, i) => i === 0 || place > column[i - 1]!)
  const originals = doubles(columns.get('originals'), column.length, Number.MAX_VALUE)
  const substitutes = doubles(columns.get('substitutes'), column.length, Number.MAX_VALUE)
  if (!ascend || !places || !originals || !substitutes) return undefined
  return { places, originals, substitutes }
}

function readCalibration(column: Column | undefined, scores: number): Calibration | undefined {
  const values = doubles(column, 6, 1e6)
  if (values === undefined) return undefined
  const [scale = 0, growth = 0, degrees = 0, disagreement = 0, covered80 = 0, covered95 = 0] =
    values
  const valid =
    scale > 0 &&
    Math.abs(growth) <= 2 &&
    degrees >= 1 &&
    disagreement >= 0 &&
    [covered80, covered95].every((share) => share >= 0 && share <= 1)
  if (!valid) return undefined
  return { scale, growth, degrees, disagreement, scores, covered80, covered95 }
}

function readMembers(
  columns: ReadonlyMap<string, Column>,
  count: number,
): Outcome<readonly Member[]> {
  const text = columns.get('members')
  const names = typeof text === 'string' ? text.split(',') : []
  const known = names.map((name) => memberNames.find((one) => one === name))
  if (names.length !== count || new Set(names).size < count) return badFormat('names are invalid')
  const weights = doubles(columns.get('weights'), count, 1)
  if (!weights?.every((weight) => weight > 0)) return badFormat('weights are out of range')
  const members: Member[] = []
  for (let i = 0; i < count; i++) {
    const column = columns.get(`member-${i}`)
    const name: MemberName | undefined = known[i]
    if (name === undefined || !(column instanceof Uint8Array)) return badFormat('no such member')
    const part = parts.get(claimedFamily(column) ?? '')
    if (part === undefined) return badFormat(`the family of ${name} is not known`)
    const model = part.decode(column)
    if (model.kind === 'refused') return model
    members.push({ name, weight: weights[i]!, model: model.value })
  }
  return done(members)
}
