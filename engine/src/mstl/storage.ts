import { bytesOf, doubles, integers, readColumns, readSpec, specColumn } from '../codec/columns.ts'
import { badFormat, type Column, claimedFamily, encodeContainer } from '../codec/container.ts'
import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { done } from '../outcome.ts'
import type { MstlModel } from './model.ts'
import { leverageMax } from './patterns.ts'
import { findMember, type MstlSpec, memberFamily, ownSpec, parseOwnSpec } from './spec.ts'

export const mstlFormat = 1

/**
 * Format 1: the patterns, where the series stands in them, and the member as its own container,
 * which also keeps the member's spec: so its family alone knows its older formats.
 */
export function encodeMstl(model: MstlModel): Uint8Array {
  const columns = new Map<string, Column>([
    ['spec', specColumn(ownSpec(model.spec))],
    ['seasons', model.seasons],
    ['phases', model.phases],
    ['patterns', model.patterns],
    ['scalars', Float64Array.of(model.leverage, model.noise)],
    ['member', memberFamily(model.member).encode(model.member)],
  ])
  return encodeContainer({ family: 'mstl', familyFormat: mstlFormat, columns })
}

/** The model in some bytes, every number of it checked; never throws. */
export function decodeMstl(bytes: Uint8Array): Outcome<MstlModel> {
  const expected = { family: 'mstl', format: mstlFormat, columns: columnNames }
  const read = readColumns(bytes, expected)
  if (read.kind === 'refused') return read
  const columns = read.value
  const own = readSpec(columns.get('spec'), parseOwnSpec)
  if (own === undefined) return badFormat('its spec is invalid')
  const seasons = readSeasons(columns.get('seasons'))
  if (seasons === undefined) return badFormat('its seasons are out of range')
  const phases = integers(columns.get('phases'), seasons.length, 0, limits.seasonLengthMax)
  if (phases === undefined || phases.some((phase, i) => phase >= seasons[i]!)) {
    return badFormat('its phases are out of range')
  }
  const size = seasons.reduce((sum, period) => sum + period, 0)
  const patterns = doubles(columns.get('patterns'), size, limits.stateMagnitudeMax)
  const scalars = doubles(columns.get('scalars'), 2, limits.stateMagnitudeMax)
  if (patterns === undefined || scalars === undefined) return badFormat('its patterns are invalid')
  const [leverage = 0, noise = 0] = scalars
  if (leverage < 0 || leverage > leverageMax || noise < 0) return badFormat('its noise is invalid')
  const member = columns.get('member')
  if (!(member instanceof Uint8Array)) return badFormat('it has no member')
  const family = findMember(claimedFamily(member))
  if (family === undefined) return badFormat('its member is of no known family')
  const decoded = family.decode(member)
  if (decoded.kind === 'refused') return decoded
  const spec: MstlSpec = { ...own, member: decoded.value.spec }
  return done({
    family: 'mstl',
    spec,
    seasons,
    patterns,
    phases,
    leverage,
    noise,
    member: decoded.value,
  })
}

export function mstlBytes(model: MstlModel): number {
  const own = bytesOf([model.seasons, model.phases, model.patterns])
  return own + memberFamily(model.member).sizeBytes(model.member)
}

const columnNames = ['spec', 'seasons', 'phases', 'patterns', 'scalars', 'member'] as const

function readSeasons(column: Column | undefined): Int32Array | undefined {
  if (!(column instanceof Int32Array) || column.length > limits.seasonsMax) return undefined
  const seasons = integers(column, column.length, 2, limits.seasonLengthMax)
  return seasons?.every((length, i) => i === 0 || length > seasons[i - 1]!) ? seasons : undefined
}
