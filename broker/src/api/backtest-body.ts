import type { AnySpec } from '@almanac/engine'
import { type BacktestSettings, limits } from '@almanac/shared'
import type { Ask } from '../routing/ask.ts'
import { checkedSpec } from './fit-body.ts'
import { type BodyFault, fault, readObject } from './series-body.ts'

/** A backtest as asked for, checked as far as it can be without its version. */
export type BacktestBody = {
  readonly kind: 'backtest'
  readonly version: Ask['version']
  /** Null: that of the version. */
  readonly spec: AnySpec | null
  readonly settings: BacktestSettings
}

const fields = ['version', 'spec', 'horizon', 'windows', 'step', 'levels', 'mode', 'season']

/** Reads the bytes of the body. Never throws; the first fault is told. Pure. */
export function readBacktestBody(bytes: Uint8Array): BacktestBody | BodyFault {
  const body = readObject(bytes, fields)
  if (body.kind === 'fault') return { ...body, remedy: body.field ? body.remedy! : sendHorizon }
  const { version = 'serving', spec: given = null, horizon, levels = [80, 95] } = body.value
  const { windows = 4, step = horizon, mode = 'refit', season = null } = body.value
  if (!isVersion(version))
    return fault('invalid', 'version must be a number, or one of serving, previous, latest.', {
      field: '/version',
    })
  const wrong =
    wrongNumber('horizon', horizon, limits.backtestHorizonMax) ??
    wrongNumber('windows', windows, limits.backtestWindowsMax) ??
    wrongNumber('step', step, limits.backtestStepMax) ??
    (season === null ? undefined : wrongNumber('season', season, limits.backtestSeasonMax)) ??
    wrongLevels(levels)
  if (wrong) return wrong
  if (mode !== 'refit' && mode !== 'update')
    return fault('invalid', 'mode must be refit or update.', {
      field: '/mode',
      remedy: 'refit fits at each origin; update fits at the first one, and moves its state on.',
    })
  const spec = given === null ? { value: null } : checkedSpec(given)
  if ('kind' in spec) return spec
  const settings = {
    ...{ horizon: horizon as number, windows: windows as number, step: step as number },
    levels: [...new Set(levels as number[])].sort((a, b) => a - b),
    ...{ mode, season: season as number | null },
  } satisfies BacktestSettings
  return { kind: 'backtest', version, spec: spec.value, settings }
}

function isVersion(given: unknown): given is Ask['version'] {
  if (typeof given === 'number') return Number.isSafeInteger(given) && given >= 1
  return given === 'serving' || given === 'previous' || given === 'latest'
}

function wrongNumber(name: string, given: unknown, most: number): BodyFault | undefined {
  if (Number.isInteger(given) && (given as number) >= 1 && (given as number) <= most)
    return undefined
  const detail = `${name} must be a whole number from 1 to ${most}.`
  return fault('invalid', detail, { field: `/${name}` })
}

function wrongLevels(given: unknown): BodyFault | undefined {
  const isLevel = (level: unknown) =>
    typeof level === 'number' && level > 0 && level < 100 && /^\d+(\.\d{1,4})?$/.test(String(level))
  const fits =
    Array.isArray(given) &&
    given.length > 0 &&
    given.length <= limits.levelsMax &&
    given.every(isLevel)
  if (fits) return undefined
  const detail = `levels must be 1 to ${limits.levelsMax} percentages above 0 and below 100.`
  return fault('invalid', detail, { field: '/levels', remedy: 'Write them like [80, 95].' })
}

const sendHorizon = 'Send {"horizon": 12}, with version, windows, step, levels and mode as wanted.'
