import { setTimeout as delay } from 'node:timers/promises'
import { jobsPrefix, limits, nodesPrefix } from '@almanac/shared'
import { call } from '../../e2e/support/client.ts'
import { smallSeries, smallSpec } from '../../e2e/support/data.ts'
import { forgetPeak, processVitals } from '../soak/vitals.ts'
import { walk } from './lists.ts'
import { probe } from './probe.ts'
import { modelName } from './seed.ts'
import type { Site, Size } from './site.ts'

type Report = {
  readonly figures: Record<string, number | string>
  readonly violations: string[]
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/** Everything that is asked of a large cluster, in one go; figures are named by the site. */
export async function tryLarge(site: Site, size: Size, report: Report): Promise<void> {
  const named = namedBy(site, report)
  await ready(site, size, named)
  await latency(site, size, named)
  await lists(site, size, named)
  await changes(site, named)
  if (size.modelMegabytes > 0) await largeModel(site, size, named)
  named.tell('restartMs', await timed(() => site.restart()))
  await loaded(site, size, named, 'restartLoadedMs')
  await cpuSinceStart(site, named, 'restartCpuMs')
  await memory(site, named, 'rssAfterRestartMb')
}

type Named = Report & { tell(name: string, value: number | string): void; fail(what: string): void }

function namedBy(site: Site, report: Report): Named {
  return {
    ...report,
    tell: (name, value) => {
      const rounded = typeof value === 'number' ? Math.round(value * 10) / 10 : value
      report.figures[`${site.name}: ${name}`] = rounded
      report.log(`${site.name}: ${name} ${rounded}`)
    },
    fail: (what) => void report.violations.push(`${site.name}: ${what}`),
  }
}

async function ready(site: Site, size: Size, named: Named): Promise<void> {
  named.tell('startMs', await timed(() => site.start()))
  await cpuSinceStart(site, named, 'startCpuMs')
  await loaded(site, size, named, 'loadedMs')
  await cpuSinceStart(site, named, 'loadedCpuMs')
  await memory(site, named, 'rssMb')
}

/** Until every node has told that it has every model. */
async function loaded(site: Site, size: Size, named: Named, name: string): Promise<void> {
  const wanted = size.models * site.serving
  const tookMs = await timed(async () => {
    while ((await site.keys(nodesPrefix)) < wanted) {
      named.signal.throwIfAborted()
      await delay(500)
    }
  })
  named.tell(name, tookMs)
}

async function cpuSinceStart(site: Site, named: Named, name: string): Promise<void> {
  for (const { name: part, pid } of site.parts())
    named.tell(`${name} ${part}`, (await processVitals(pid)).cpuMs)
}

async function memory(site: Site, named: Named, name: string): Promise<void> {
  for (const { name: part, pid } of site.parts()) {
    const { rssMb, peakRssMb } = await processVitals(pid)
    named.tell(`${name} ${part}`, `${Math.round(rssMb)} (peak ${Math.round(peakRssMb)})`)
  }
}

async function latency(site: Site, { models }: Size, named: Named): Promise<void> {
  const { url } = site
  const signal = named.signal
  const seen = await probe({ url, models, perSecond: 100, count: 1_000, signal })
  named.tell('forecastMs p50/p99/worst', `${seen.p50Ms}/${seen.p99Ms}/${seen.worstMs}`)
  for (const fault of seen.faults.slice(0, 5)) named.fail(`forecast ${fault}`)
}

async function lists(site: Site, size: Size, named: Named): Promise<void> {
  const models = await walk(site.url, '/api/models', 'models', (item) => String(item.model))
  named.tell('modelPagesMs first/slowest', `${models.firstMs}/${models.slowestMs}`)
  if (models.items !== size.models) named.fail(`${models.items} models are listed`)
  const startedMs = performance.now()
  const before = await site.keys(jobsPrefix)
  let left = before
  while (left > limits.finishedJobsMax && performance.now() - startedMs < drainMs(size)) {
    named.signal.throwIfAborted()
    await delay(1_000)
    left = await site.keys(jobsPrefix)
  }
  const seconds = (performance.now() - startedMs) / 1_000
  named.tell('jobsMovedPerSecond', seconds > 1 ? (before - left) / seconds : 'all before')
  if (left > limits.finishedJobsMax) named.fail(`${left} jobs are still in the coordinator`)
  const jobs = await walk(site.url, '/api/jobs', 'jobs', (item) => String(item.id))
  named.tell('jobPagesMs first/slowest', `${jobs.firstMs}/${jobs.slowestMs}`)
  if (jobs.items !== size.jobs) named.fail(`${jobs.items} jobs of ${size.jobs} are listed`)
  for (const violation of [...models.violations, ...jobs.violations]) named.fail(violation)
}

/** A backlog leaves the coordinator at this rate at least, after a moment to begin. */
const drainMs = ({ jobs }: Size) => 30_000 + jobs * 5

/** What one change costs when there is so much that does not change. */
async function changes(site: Site, named: Named): Promise<void> {
  const api = `${site.url}/api/models/${modelName(0)}`
  const tookMs: number[] = []
  const cpu = await cpuOf(site, async () => {
    for (let i = 0; i < changesTried; i++) {
      const body = { data: smallSeries(20 + i), spec: smallSpec }
      tookMs.push(await timed(async () => mustServe(await call('POST', `${api}/fit`, { body }))))
    }
  })
  tookMs.sort((a, b) => a - b)
  named.tell('fitToServingMs median', tookMs[Math.floor(tookMs.length / 2)] ?? 0)
  for (const [part, ms] of cpu) named.tell(`cpuMsPerFit ${part}`, ms / changesTried)
}

const changesTried = 20

/** A version of hundreds of megabytes, from fit to serving, while others are asked for. */
async function largeModel(site: Site, size: Size, named: Named): Promise<void> {
  const { modelMegabytes: megabytes, models } = size
  for (const { pid, metricsUrl } of site.parts()) {
    await forgetPeak(pid)
    // The delays seen since the last look begin anew with every look.
    await loopDelayMs(metricsUrl)
  }
  const over = new AbortController()
  const signal = AbortSignal.any([named.signal, over.signal])
  const probing = probe({ url: site.url, models, perSecond: 50, signal })
  const series = [{ key: `megabytes-${megabytes}`, y: smallSeries(5, 200) }]
  const body = { series, spec: { family: 'automatic' } }
  const fitAndServe = async () => {
    const { status, text } = await call('POST', `${site.url}/api/models/huge/fit`, { body })
    if (status !== 202) return mustServe({ status, text })
    // The client is not kept waiting any longer, but it is on its way.
    named.fail(`the large model was not served in ${limits.fitWaitMs} ms`)
    for (let serving = null; serving === null; await delay(1_000)) {
      named.signal.throwIfAborted()
      const { text: model } = await call('GET', `${site.url}/api/models/huge`)
      serving = (JSON.parse(model) as { serving: number | null }).serving
    }
  }
  let tookMs = 0
  const cpu = await cpuOf(site, async () => {
    tookMs = await timed(fitAndServe)
  })
  const settled = await call('GET', `${site.url}/api/models/huge/forecast/24?level=80`)
  if (settled.status !== 200) named.fail(`forecast of the large model: ${settled.text}`)
  await delay(2_000)
  over.abort()
  const seen = await probing
  named.tell(`${megabytes}MbToServingMs`, tookMs)
  for (const [part, ms] of cpu) named.tell(`${megabytes}MbToServingCpuMs ${part}`, ms)
  named.tell('forecastMs meanwhile p50/p99/worst', `${seen.p50Ms}/${seen.p99Ms}/${seen.worstMs}`)
  for (const fault of seen.faults.slice(0, 5)) named.fail(`forecast meanwhile ${fault}`)
  for (const { name, metricsUrl } of site.parts()) {
    const worstMs = await loopDelayMs(metricsUrl)
    named.tell(`eventLoopWorstMs ${name}`, worstMs)
    if (worstMs > loopDelayMaxMs) named.fail(`${name} stood still for ${Math.round(worstMs)} ms`)
  }
  await memory(site, named, 'rssWithLargeModelMb')
}

/** Half of what a broker waits before it asks another node. */
const loopDelayMaxMs = limits.tryTimeoutMs / 2

function mustServe({ status, text }: { status: number; text: string }): void {
  if (status !== 200) throw new Error(`a fit answered ${status}: ${text.slice(0, 500)}`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

/** CPU of our processes during some work, by part. */
async function cpuOf(site: Site, work: () => Promise<void>): Promise<[string, number][]> {
  const look = () => Promise.all(site.parts().map(({ pid }) => processVitals(pid)))
  const before = await look()
  await work()
  const after = await look()
  return site.parts().map(({ name }, i) => [name, after[i]!.cpuMs - before[i]!.cpuMs])
}

const loopDelayMs = async (url: string) =>
  (await metric(url, 'nodejs_eventloop_lag_max_seconds')) * 1_000

async function metric(url: string, name: string): Promise<number> {
  const { text } = await call('GET', url)
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1])
}
