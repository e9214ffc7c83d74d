import { setTimeout as delay } from 'node:timers/promises'
import { call } from '../../e2e/support/client.ts'

/** A table that is fitted and served. */
export type Course = {
  readonly url: string
  readonly model: string
  readonly file: string
  readonly recipe: unknown
  readonly spec: unknown
  readonly say: (line: string) => void
}

export type CourseTimes = {
  /** From the file to shards of data. */
  readonly tableSeconds: number
  readonly fitSeconds: number
  /** From the last shard until the version serves. */
  readonly rolloutSeconds: number
  readonly series: number
  readonly metrics: Readonly<Record<string, number | string>>
}

type Job = {
  readonly kind: string
  readonly state: string
  readonly progress: { readonly phase: string; readonly fraction: number }
  readonly series: { readonly done: number; readonly of: number } | null
  readonly error: unknown
}

/** Fits a table and waits until it serves, with the time of each phase. */
export async function fitTable(course: Course): Promise<CourseTimes> {
  const { url, model, file, recipe, spec, say } = course
  const startedMs = performance.now()
  const accepted = await call('POST', `${url}/api/models/${model}/fit`, {
    body: { table: { file, recipe }, spec },
    headers: { prefer: 'respond-async' },
  })
  if (accepted.status !== 202) throw new Error(`${accepted.status} ${accepted.text}`)
  const { job: id, version } = accepted.body as unknown as { job: string; version: number }
  let madeMs = Number.NaN
  let told = 0
  for (;;) {
    const job = (await call('GET', `${url}/api/jobs/${id}`)).body as unknown as Job
    if (Number.isNaN(madeMs) && job.kind === 'fit-shards') madeMs = performance.now()
    if (job.state === 'failed') throw new Error(JSON.stringify(job.error))
    if (job.state === 'done') break
    if (performance.now() - told > tellMs) {
      told = performance.now()
      const { phase, fraction } = job.progress
      const done = job.series ? `, ${job.series.done} of ${job.series.of} series` : ''
      say(`  ${phase} ${(100 * fraction).toFixed(0)}%${done}`)
    }
    await delay(lookMs)
  }
  const fittedMs = performance.now()
  const ofModel = async () => (await call('GET', `${url}/api/models/${model}`)).body
  while (Number((await ofModel()).serving) !== version) await delay(lookMs)
  const servingMs = performance.now()
  const at = await call('GET', `${url}/api/models/${model}/versions/${version}`)
  const known = at.body as unknown as { series: number; metrics: CourseTimes['metrics'] }
  return {
    tableSeconds: (madeMs - startedMs) / 1_000,
    fitSeconds: (fittedMs - madeMs) / 1_000,
    rolloutSeconds: (servingMs - fittedMs) / 1_000,
    ...known,
  }
}

const lookMs = 200
const tellMs = 10_000
