import type { Candidate, Outcome, Refusal, Report, Run, Series } from '../family.ts'
import { areFinite } from '../numeric/finite.ts'
import { done, refused } from '../outcome.ts'
import { calibrate, kindOf } from './calibrate.ts'
import { disagreementShare } from './constants.ts'
import { fitThroughGaps } from './gaps.ts'
import { rungOf } from './ladder.ts'
import { type AutomaticModel, type Member, memberSeries } from './model.ts'
import { type PartModel, parts } from './parts.ts'
import { type Profile, profileOf } from './profile.ts'
import { findSpikes, noRepairs } from './repairs.ts'
import { noRolling, type Refit, rollOrigins } from './rolling.ts'
import { type MemberName, memberSpec } from './roster.ts'
import type { AutomaticSpec } from './spec.ts'
import { repairsInWords, summaryOf } from './summary.ts'

/** Fits a series that passes the family's check: each member, then how wide their forecast is. */
export function fitAutomatic(
  series: Series,
  spec: AutomaticSpec,
  run: Run,
): Outcome<AutomaticModel> {
  const profile = profileOf(series, spec, run)
  const rung = rungOf(profile, spec)
  const { seasons } = profile
  const skipped = skippedOf(series, seasons)
  const shown = memberSeries({ skipped, seasons, repairs: noRepairs }, series)
  const mends = rung.name === 'plain' || rung.name === 'long-season'
  const repairs = mends ? findSpikes(shown.y, seasons) : noRepairs
  const seen = memberSeries({ skipped, seasons, repairs }, series)
  const tried = tryMembers(rung.members, seen, seasons, run)
  for (const reserve of rung.reserves) {
    if (tried.members.length > 0) break
    tryMember(tried, reserve, seen, seasons, run)
  }
  if (tried.members.length === 0) return refused(tried.refusal ?? nobody)
  const usual = tried.members.some(({ name }) => rung.members.includes(name))
  const why = usual ? rung.why : 'nobody else can be fitted to the series'
  const share = Math.floor(run.workMax / (rung.members.length * roundsMax))
  const roll = (members: readonly Member[]) => {
    const idle = rung.name === 'constant' || run.shouldStop?.() === true
    if (idle) return noRolling
    const refit: Refit = (name, part) => fitMember(name, part, seasons, { ...run, workMax: share })
    return rollOrigins(members, { seen, shown: shown.y }, disagreementShare, run, refit)
  }
  const rolling = roll(tried.members)
  const kept = keepGood(tried, rolling.memberErrors, rung.name === 'long-season')
  const members = kept.map((member) => ({ ...member, weight: 1 / kept.length }))
  const judged = kept.length < tried.members.length ? roll(members) : rolling
  const kind = kindOf(rung.name, seasons, profile.observed)
  const calibration = calibrate(
    { kind, observed: profile.observed },
    spec.intervals === 'conformal' ? judged : noRolling,
  )
  const model: AutomaticModel = {
    ...{ family: 'automatic', spec, rung: rung.name, seasons, skipped, members, calibration },
    ...{ taken: seen.y.length, repairs },
  }
  run.onProgress?.(1)
  const missing = series.y.length - profile.observed
  const report = { ...reportOf(model, profile, why, tried), missing }
  return tried.stopped ? { kind: 'stopped', value: model, report } : done(model, report)
}

/** Newer observations than these are not held back from any member. */
const newestMax = 10_000
const newestSeasonsMax = 3
const newestEverMax = 60_000

/** How many observations at the beginning no member sees. */
function skippedOf({ y }: Series, seasons: readonly number[]): number {
  const wanted = Math.max(newestMax, newestSeasonsMax * (seasons.at(-1) ?? 1))
  let first = Math.max(0, y.length - Math.min(newestEverMax, wanted))
  // An observed value may not be lost to a long gap that came after it.
  while (first > 0 && y.subarray(first).every(Number.isNaN)) first = Math.max(0, first - newestMax)
  return first
}

type Tried = {
  readonly members: Member[]
  readonly candidates: Candidate[]
  converged: boolean
  stopped: boolean
  refusal: Refusal | undefined
}

function tryMembers(
  names: readonly MemberName[],
  series: Series,
  seasons: readonly number[],
  run: Run,
): Tried {
  const tried: Tried = {
    members: [],
    candidates: [],
    converged: true,
    stopped: false,
    refusal: undefined,
  }
  const share = Math.floor(run.workMax / (names.length * roundsMax))
  for (const [at, name] of names.entries()) {
    if (tried.members.length > 0 && run.shouldStop?.() === true) {
      tried.stopped = true
      tried.candidates.push({ name, refused: 'The fit was stopped before its turn.' })
      continue
    }
    const { onProgress: _, ...rest } = run
    tryMember(tried, name, series, seasons, { ...rest, workMax: share })
    run.onProgress?.((0.9 * (at + 1)) / names.length)
  }
  return tried
}

function tryMember(
  tried: Tried,
  name: MemberName,
  series: Series,
  seasons: readonly number[],
  run: Run,
): void {
  const outcome = fitMember(name, series, seasons, run)
  if (outcome.kind === 'refused') {
    tried.refusal = outcome.reason
    tried.candidates.push({ name, refused: outcome.reason.detail })
    return
  }
  if (outcome.kind === 'stopped') tried.stopped = true
  if (outcome.report.converged === 'no') tried.converged = false
  tried.candidates.push({ name })
  tried.members.push({ name, weight: 1, model: outcome.value })
}

/** One member, fitted; refused when it has no finite forecast. */
export function fitMember(
  name: MemberName,
  series: Series,
  seasons: readonly number[],
  run: Run,
): Outcome<PartModel> {
  const spec = memberSpec(name, seasons, series.y.length)
  const part = parts.get(String(spec.family))
  if (part === undefined)
    return refused({ code: 'unknown-family', detail: 'There is no such family.' })
  const parsed = part.parse(spec)
  if (parsed.kind === 'refused') return parsed
  const fitted = fitThroughGaps(part, name, parsed.value, series, seasons, run)
  if (fitted.kind === 'refused') return fitted
  const forecast = part.forecast(fitted.value, probe, run)
  if (forecast.kind === 'refused') return forecast
  const { point, quantiles } = forecast.value
  const finite = areFinite(point, quantiles)
  return finite ? fitted : refused({ code: 'not-finite', detail: 'Its forecast is not finite.' })
}

/** A look at what a fitted member forecasts. */
const probe = { horizon: 12, quantiles: Float64Array.of(0.1, 0.9) }
const nobody: Refusal = { code: 'no-member', detail: 'No member can be fitted to the series.' }
/** A member is fitted once, and at some origins again, for the choice and for the widths. */
const roundsMax = 9
/** A member whose errors are this many times those of others is not listened to. */
const worseMax = { rewound: 2, refitted: 1.25 } as const

/** The members without those that rolling origins show to be far off. */
function keepGood(tried: Tried, errors: Float64Array, isRefitted: boolean): Member[] {
  const { members, candidates } = tried
  if (errors.length < members.length || members.length < 2) return members
  const sorted = errors.slice().sort()
  // Errors of fits that had not seen them can be compared with the best; others flatter the best.
  if (!isRefitted && members.length < 3) return members
  const aim = isRefitted ? sorted[0]! : sorted[Math.floor((sorted.length - 1) / 2)]!
  const most = isRefitted ? worseMax.refitted : worseMax.rewound
  return members.filter(({ name }, i) => {
    if (!(errors[i]! > most * aim)) return true
    const times = (errors[i]! / aim).toPrecision(2)
    const at = candidates.findIndex((candidate) => candidate.name === name)
    const than = isRefitted ? 'the best' : 'the typical'
    const why = `Its errors at rolling origins were ${times} times those of ${than} member.`
    candidates[at] = { ...candidates[at]!, refused: why }
    return false
  })
}

function reportOf(model: AutomaticModel, profile: Profile, why: string, tried: Tried): Report {
  const { members, calibration } = model
  const candidates = tried.candidates.map((candidate) => {
    const weight = members.find(({ name }) => name === candidate.name)?.weight
    return weight === undefined ? candidate : { ...candidate, weight }
  })
  return {
    summary: summaryOf(model, profile, why, candidates),
    converged: tried.converged ? 'yes' : 'no',
    candidates,
    rung: model.rung,
    seasons: model.seasons.map(String),
    observations: profile.observed,
    skipped: model.skipped,
    ...(model.repairs.places.length > 0 ? { repairs: repairsInWords(model) } : {}),
    widening: calibration.scale,
    degrees: calibration.degrees,
    scores: calibration.scores,
    ...(calibration.scores > 0
      ? { covered80: calibration.covered80, covered95: calibration.covered95 }
      : {}),
  }
}
