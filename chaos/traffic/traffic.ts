import { seededRandom } from '@almanac/shared'
import { answerOf, type Entry } from '../history/entry.ts'
import { createRecorder } from '../history/recorder.ts'
import { acknowledged, changeAgainAndAgain, type Script } from './changes.ts'
import { type BrokerAddress, type Client, createClient } from './client.ts'
import { startForecasts } from './forecasts.ts'

export type TrafficOptions = {
  readonly brokers: readonly BrokerAddress[]
  readonly seed: number
  /** Names the models of this run: nobody else's begin so. */
  readonly prefix: string
  readonly forecastsPerSecond: number
  /** A model for each; default: one of each kind. */
  readonly scripts?: readonly Script[]
  /** Between two rounds of a script. Default: a second. */
  readonly changePauseMs?: number
  /** For each broker. Default: 4. */
  readonly clientsPerBroker?: number
}

/** Users of the cluster at work, and the record of what they saw. */
export type Traffic = {
  readonly entries: readonly Entry[]
  readonly models: readonly string[]
  readonly clients: readonly Client[]
  readonly isOurs: (model: string) => boolean
  /** Names data that no fit of this run has yet. */
  readonly nextData: (kind: 'small' | 'slow') => string
  /** Ends the changes, each model being there; forecasts go on. */
  readonly stopChanges: () => Promise<void>
  /** Ends everything after the last answer. */
  readonly stop: () => Promise<readonly Entry[]>
  /** Ends everything at once, whatever is under way. */
  readonly abandon: () => Promise<void>
}

const scriptsOfAll: readonly Script[] = ['grows', 'rolled-back', 'reborn', 'burst']
/** The first fits are made one after another, before anything is broken. */
const preparationTries = 20

/** Fits every model once, then drives load until it is stopped. Rejects when no first fit works. */
export async function startTraffic(options: TrafficOptions): Promise<Traffic> {
  const { brokers, seed, prefix, scripts = scriptsOfAll, clientsPerBroker = 4 } = options
  const recorder = createRecorder()
  const { forecastsPerSecond: perSecond } = options
  const clients = brokers.flatMap(({ name }, home) =>
    Array.from({ length: clientsPerBroker }, (_, i) =>
      createClient({ name: `client-${name}-${i + 1}`, brokers, home, recorder }),
    ),
  )
  const models = scripts.map((script, i) => `${prefix}-${script}-${i + 1}`)
  let data = seed % 10_000
  const nextData = (kind: 'small' | 'slow') => {
    data += 7
    return `${kind}-${data}`
  }
  const known = new Map<string, number>()
  recorder.onEntry((entry) => {
    const version = entry.asked.kind === 'fit' ? acknowledged(entry) : undefined
    if (version !== undefined && answerOf(entry, 200)?.word === 'serving')
      known.set(entry.asked.model, Math.max(version, known.get(entry.asked.model) ?? 0))
    if (entry.asked.kind === 'delete') known.delete(entry.asked.model)
  })
  for (const model of models) await prepare(clients[0]!, model, nextData('small'))
  const stopping = new AbortController()
  const abandoning = new AbortController()
  const forecasts = startForecasts({
    clients,
    models,
    perSecond,
    random: seededRandom(seed + 1),
    knownVersion: (model) => known.get(model),
    onlyGrows: (model) => model.includes('-grows-'),
  })
  const changing = scripts.map((script, i) =>
    changeAgainAndAgain({
      model: models[i]!,
      script,
      clients,
      random: seededRandom(seed + 2 + i),
      nextData: () => nextData('small'),
      pauseMs: options.changePauseMs ?? 1_000,
      signal: stopping.signal,
      abandoned: abandoning.signal,
    }),
  )
  const stopChanges = async () => {
    stopping.abort()
    await Promise.all(changing)
  }
  const closeAll = async () => {
    await Promise.all(clients.map((client) => client.close()))
  }
  return {
    entries: recorder.entries,
    models,
    clients,
    isOurs: (model) => model.startsWith(`${prefix}-`),
    nextData,
    stopChanges,
    stop: async () => {
      await stopChanges()
      await forecasts.stop()
      await closeAll()
      return recorder.entries
    },
    abandon: async () => {
      abandoning.abort()
      stopping.abort()
      await closeAll()
      await Promise.all([...changing, forecasts.stop()])
    },
  }
}

async function prepare(client: Client, model: string, data: string): Promise<void> {
  const key = `first-${model}`
  for (let i = 0; i < preparationTries; i++) {
    const entry = await client.send({ kind: 'fit', model, data, key, respondAsync: false })
    if (answerOf(entry, 200)) return
  }
  throw new Error(`the first fit of ${model} did not work ${preparationTries} times`)
}
