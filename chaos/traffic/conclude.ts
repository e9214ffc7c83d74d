import { setTimeout as delay } from 'node:timers/promises'
import { answerOf, type Entry, type Forecast, isForecast } from '../history/entry.ts'
import { type Records, readRecords } from '../history/records.ts'
import type { BrokerAddress } from './client.ts'
import type { Traffic } from './traffic.ts'

export type Concluded = {
  readonly entries: readonly Entry[]
  readonly records: Records
  /** What had not come to rest in time; empty when all is well. */
  readonly restless: readonly string[]
}

/**
 * Ends the changes, asks again by number what was answered before, ends everything, waits until
 * the cluster has come to rest, and reads what it says of itself.
 */
export async function conclude(
  traffic: Traffic,
  brokers: readonly BrokerAddress[],
): Promise<Concluded> {
  await traffic.stopChanges()
  await askAgain(traffic)
  const entries = await traffic.stop()
  const untilMs = performance.now() + restMs
  for (let i = 0; ; i++) {
    const isLast = performance.now() > untilMs
    try {
      const records = await readRecords(brokers[i % brokers.length]!.url, traffic.isOurs)
      const restless = whatIsOpen(records)
      if (restless.length === 0 || isLast) return { entries, records, restless }
    } catch (error) {
      if (isLast) throw error
    }
    await delay(200)
  }
}

/** A fit that was begun last, and its rollout, on a machine that has been busy. */
const restMs = 30_000
/** Of each model: enough to meet every version of a short run, and bounded in a long one. */
const askedAgainMax = 40

/**
 * Every client's broker is asked, so that what one of them has answered is computed again for the
 * other. The history then has both.
 */
async function askAgain({ entries, clients, models }: Traffic): Promise<void> {
  const answered = entries.filter(isForecast).filter((entry) => answerOf(entry, 200))
  for (const model of models) {
    const questions = new Map<string, Forecast>()
    for (const entry of answered) {
      if (entry.asked.model !== model) continue
      const { horizon, level } = entry.asked
      questions.set(`${answerOf(entry)?.version} ${horizon} ${level === ''}`, entry)
    }
    for (const { asked, outcome } of [...questions.values()].slice(-askedAgainMax)) {
      if (outcome.kind !== 'answered') continue
      const again = { ...asked, version: outcome.version, atLeast: null }
      await Promise.all(onePerBroker(clients).map((client) => client.send(again)))
    }
  }
}

function onePerBroker(clients: Traffic['clients']): Traffic['clients'] {
  return [...new Map(clients.map((client) => [client.broker().name, client])).values()]
}

function whatIsOpen({ models, versions, jobs }: Records): string[] {
  const rollouts = models
    .filter(({ serving, target }) => serving === null || serving !== target)
    .map(({ model, serving, target }) => `${model} serves ${serving}, its target is ${target}`)
  const fits = [...versions].flatMap(([model, all]) =>
    all
      .filter(({ state }) => state === 'queued' || state === 'fitting' || state === 'loading')
      .map(({ version, state }) => `version ${version} of ${model} is ${state}`),
  )
  const open = jobs
    .filter(({ state }) => state !== 'done' && state !== 'failed')
    .map(({ id, state }) => `job ${id} is ${state}`)
  return [...rollouts, ...fits, ...open]
}
