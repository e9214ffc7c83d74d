import type { JobRecord } from '@almanac/shared'
import type { Plan } from '../schedule/plan.ts'
import type { Ledger } from './ledger.ts'
import type { JobEndRecord } from './records.ts'

/** A job that somebody was told is cancelled stays so, and a backtest judges every series. */
export function judgeJobs(records: readonly JobEndRecord[], ledger: Ledger, plan: Plan): string[] {
  return records.flatMap((record) => {
    if (record.kind === 'broken') return [record.what]
    const job = ledger.jobs.get(record.job)
    if (job === undefined) return [`the record of the job ${record.job} is gone`]
    const fault =
      record.kind === 'cancelled' ? faultOfCancel(job, ledger) : faultOf(job, ledger, plan)
    return fault === undefined ? [] : [`the job ${job.id} of ${job.subject.model}: ${fault}`]
  })
}

function faultOfCancel({ id, state, error, subject, kind }: JobRecord, ledger: Ledger) {
  if (state !== 'failed' || error?.reason !== 'cancelled')
    return `it was cancelled and is ${state} (${error?.reason})`
  if (kind === 'backtest') return undefined
  const model = ledger.model(`${subject.tenant}/${subject.model}`)
  const version = model.versions.get(subject.version)
  if (version?.job !== id) return 'its version is of another job'
  return version.state === 'failed' ? undefined : `it was cancelled, its version ${version.state}`
}

function faultOf({ state, error, subject, backtest }: JobRecord, ledger: Ledger, plan: Plan) {
  if (state === 'done') {
    const model = ledger.model(`${subject.tenant}/${subject.model}`)
    const series = model.versions.get(subject.version)?.series
    const { series: judged, codes } = backtest?.scores ?? {}
    const counted = Object.values(codes ?? {}).reduce((sum, count) => sum + count, 0)
    if (backtest?.result && judged === series && counted === series) return undefined
    return `it judged ${judged} series of ${series}`
  }
  const losesNodes = plan.faults.some(({ kind }) => losesNode.has(kind))
  if (error?.reason === 'attempts-exhausted' && losesNodes) return undefined
  return `it is ${state} (${error?.reason}: ${error?.detail})`
}

const losesNode: ReadonlySet<string> = new Set(['crash', 'pause', 'drain'])
