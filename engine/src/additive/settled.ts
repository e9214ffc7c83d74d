import type { Column } from '../codec/container.ts'
import { limits } from '../limits.ts'
import type { Calendar, Step } from '../series/calendar.ts'
import { checkCalendar } from '../series/calendar-steps.ts'
import type { Design, Regressor, Season } from './design.ts'
import { specLimits } from './spec.ts'

/** What the data settled of a design: its calendar, seasons and regressors. */
export type Settled = Pick<Design, 'calendar' | 'seasons' | 'regressors'>

/** As JSON text with its fields in a fixed order, the zone's numbers apart. */
export function settledColumns({ calendar, seasons, regressors }: Settled) {
  const zone = calendar?.step.zone
  return {
    text: textOf({ calendar, seasons, regressors }),
    instants: zone?.instants ?? new Float64Array(0),
    offsetsMs: zone?.offsetsMs ?? new Float64Array(0),
  }
}

/** Undefined unless the text is exactly what `settledColumns` writes of it. */
export function readSettled(
  text: Column | undefined,
  instants: Column | undefined,
  offsetsMs: Column | undefined,
): Settled | undefined {
  if (typeof text !== 'string') return undefined
  if (!(instants instanceof Float64Array && offsetsMs instanceof Float64Array)) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const raw = asObject(value)
  if (raw === undefined || !Array.isArray(raw.seasons) || !Array.isArray(raw.regressors)) {
    return undefined
  }
  const calendar = raw.calendar === null ? null : readCalendar(raw.calendar, instants, offsetsMs)
  if (calendar === undefined) return undefined
  const seasons = raw.seasons.map(readSeason)
  const regressors = raw.regressors.map(readRegressor)
  if (seasons.length > 3 + specLimits.seasonsMax) return undefined
  if (regressors.length > limits.regressorsMax) return undefined
  if (!seasons.every((season) => season !== undefined)) return undefined
  if (!regressors.every((regressor) => regressor !== undefined)) return undefined
  if (calendar === null && seasons.some(({ unit }) => unit === 'day')) return undefined
  if (calendar?.step.zone === undefined && instants.length + offsetsMs.length > 0) return undefined
  const settled = { calendar, seasons, regressors }
  return textOf(settled) === text ? settled : undefined
}

function textOf({ calendar, seasons, regressors }: Settled): string {
  const written = calendar && { start: calendar.start, step: writtenStep(calendar.step) }
  return JSON.stringify({
    calendar: written,
    seasons: seasons.map(({ name, unit, period, order, priorScale, multiplicative }) => ({
      ...{ name, unit, period, order, priorScale, multiplicative },
    })),
    regressors: regressors.map(({ name, priorScale, multiplicative, mean, deviation }) => ({
      ...{ name, priorScale, multiplicative, mean, deviation },
    })),
  })
}

function writtenStep(step: Step): object {
  const zone = step.zone?.name ?? null
  if (step.kind === 'fixed') return { kind: step.kind, ms: step.ms, zone }
  return { kind: step.kind, unit: step.unit, count: step.count, zone }
}

function readCalendar(
  value: unknown,
  instants: Float64Array,
  offsetsMs: Float64Array,
): Calendar | undefined {
  const raw = asObject(value)
  const step = asObject(raw?.step)
  if (raw === undefined || step === undefined) return undefined
  const named = typeof step.zone === 'string' ? { name: step.zone, instants, offsetsMs } : undefined
  const zone = named === undefined ? {} : { zone: named }
  const kind = step.kind === 'fixed' ? { ms: step.ms } : { unit: step.unit, count: step.count }
  // What is not of its type fails the check, or is not written back as it came.
  const read = { start: raw.start, step: { kind: step.kind, ...kind, ...zone } } as Calendar
  if (step.kind !== 'fixed' && step.kind !== 'calendar') return undefined
  if (step.kind === 'calendar' && typeof step.unit !== 'string') return undefined
  return checkCalendar(read) === undefined ? read : undefined
}

function readSeason(value: unknown): Season | undefined {
  const { name, unit, period, order, priorScale, multiplicative } = asObject(value) ?? {}
  if (!isName(name) || (unit !== 'day' && unit !== 'step')) return undefined
  if (!isNumber(period, 1e-6, 1e6) || !isNumber(priorScale, 1e-6, 1e6)) return undefined
  if (!isNumber(order, 1, specLimits.orderMax) || !Number.isInteger(order)) return undefined
  if (typeof multiplicative !== 'boolean') return undefined
  return { name, unit, period, order, priorScale, multiplicative }
}

function readRegressor(value: unknown): Regressor | undefined {
  const { name, priorScale, multiplicative, mean, deviation } = asObject(value) ?? {}
  const most = limits.stateMagnitudeMax
  if (typeof name !== 'string' || name.length > 100) return undefined
  if (!isNumber(priorScale, 1e-6, 1e6) || typeof multiplicative !== 'boolean') return undefined
  if (!isNumber(mean, -most, most) || !isNumber(deviation, Number.MIN_VALUE, most)) return undefined
  return { name, priorScale, multiplicative, mean, deviation }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return value as Readonly<Record<string, unknown>>
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= 100
}

function isNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max
}
