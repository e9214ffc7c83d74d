import type { FailureRecord, VersionRecord } from '@almanac/shared'
import type { Plan } from '../schedule/plan.ts'
import type { Judged } from './judge-forecasts.ts'
import type { Ledger, ModelLedger } from './ledger.ts'
import type { FitRecord, ToldRecord } from './records.ts'

/** What became of the fits, against the promise that none is lost and none is done twice. */
export function judgeFits(records: readonly FitRecord[], judged: Judged, plan: Plan): string[] {
  const jobs = new Map<string, string>()
  const byVersion = new Map<string, string>()
  return [
    ...records.flatMap(({ request, outcome }) => {
      if (outcome.kind !== 'accepted') return []
      const { job, version } = outcome
      const name = `the fit of ${request.value}, acknowledged as version ${version}`
      const model = judged.ledger.model(`default/${request.model}`)
      const faults = judgeAcknowledged(model, job, version, name)
      const key = request.key === null ? undefined : `${request.model} ${request.key}`
      const former = key && jobs.get(key)
      if (former && former !== job) faults.push(`${name}: its key was given job ${former} before`)
      if (key) jobs.set(key, job)
      const other = byVersion.get(`${request.model} ${version}`)
      if (other && other !== job) faults.push(`${name}: so was job ${other}`)
      byVersion.set(`${request.model} ${version}`, job)
      return faults
    }),
    ...[...judged.ledger.models.values()].flatMap((model) =>
      [...model.versions.values()].flatMap((version) => judgeFailure(version, model, judged, plan)),
    ),
  ]
}

/** What the client of a fit was told is so. */
export function judgeTold(
  { request, version: number, doneMs, outcome }: ToldRecord,
  ledger: Ledger,
  plan: Plan,
): string[] {
  const model = ledger.model(`default/${request.model}`)
  const version = model.versions.get(number)
  const isPlanned = (kind: string) => plan.requests.some((one) => one.kind === kind)
  const isTrue = {
    serving: model.served.some(({ to, atMs }) => to === number && atMs <= doneMs),
    superseded: version?.blob != null && (model.record?.high ?? 0) >= number,
    failed: version?.state === 'failed' || isPlanned('delete'),
    held: isPlanned('rollback'),
    // The broker was about to stop.
    later: plan.faults.some(({ kind }) => kind === 'drain'),
  }[outcome?.kind ?? 'later']
  const told = outcome?.kind ?? 'nothing'
  return isTrue ? [] : [`the client of version ${number} of ${request.model} was told: ${told}`]
}

function judgeAcknowledged(
  model: ModelLedger,
  job: string,
  number: number,
  name: string,
): string[] {
  const version = model.versions.get(number)
  if (version === undefined) return [`${name}: there is no such version`]
  if (version.job !== job) return [`${name}: the version is of another job`]
  const isDeleted = isOfDeleted(model, number)
  if (!model.present.has(number) && !isDeleted) return [`${name}: its record is gone`]
  const isOver = version.state === 'stored' || version.state === 'failed'
  return isOver || isDeleted ? [] : [`${name}: it is ${version.state} for ever`]
}

/** A fit fails for a reason that the schedule has given, and for no other. */
function judgeFailure(
  version: VersionRecord,
  model: ModelLedger,
  { numberIn }: Judged,
  plan: Plan,
): string[] {
  if (version.state !== 'failed') return []
  const value = numberIn(version.dataset.blob)
  const request = plan.requests.find((one) => one.kind === 'fit' && one.value === value)
  const end = request?.kind === 'fit' ? request.end : undefined
  const isRefit = model.parts.has(version.version)
  const refits = plan.requests.flatMap((one) =>
    one.kind === 'fit' && one.refit && one.model === request?.model ? [one.value] : [],
  )
  // A fit of all data is of the number of its data, not of its own.
  const isCancelled = plan.requests.some(
    (one) => one.kind === 'cancel' && [value, ...refits].includes(one.value),
  )
  const crashes = plan.requests.some((one) => one.kind === 'fit' && one.joins === 'crashed')
  const isDamaged = plan.faults.some((fault) => fault.kind === 'damage' && fault.value === value)
  // Nodes that live give the attempts back that faults of others cost them.
  const losesNodes = plan.faults.some(({ kind }) => losesNode.has(kind))
  const { phase, reason, detail } = version.error ?? noError
  const isExplained: Record<FailureRecord['phase'], boolean> = {
    fit:
      ((reason === 'too-short' || reason === 'table') && end === 'refused') ||
      (reason === 'cancelled' && isCancelled) ||
      (reason === 'attempts-exhausted' &&
        (end === 'crashed' || losesNodes || (isRefit && crashes))),
    rollout: (reason === 'checksum' || reason === 'missing') && isDamaged,
    deleted: plan.requests.some(({ kind }) => kind === 'delete'),
    backtest: false,
    predict: false,
  }
  if (isExplained[phase]) return []
  return [`version ${version.version} of ${value} failed (${phase}: ${reason}) ${detail}`]
}

const losesNode: ReadonlySet<string> = new Set(['crash', 'pause', 'drain'])
const noError: FailureRecord = { phase: 'fit', reason: 'none', detail: '' }

const isOfDeleted = ({ record }: ModelLedger, version: number): boolean =>
  record !== undefined && (record.deletedAt !== null || version <= record.floor)
