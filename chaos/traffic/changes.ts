import type { Random } from '@almanac/shared'
import { type Asked, answerOf, type Entry } from '../history/entry.ts'
import type { Client } from './client.ts'

/** What is done to a model again and again. */
export type Script = 'grows' | 'rolled-back' | 'reborn' | 'burst'

export type ChangesOptions = {
  readonly model: string
  readonly script: Script
  readonly clients: readonly Client[]
  readonly random: Random
  /** Data that no other fit of this run has. */
  readonly nextData: () => string
  /** Between the end of one round and the next. */
  readonly pauseMs: number
  /** Aborts between two rounds: a round that began is finished. */
  readonly signal: AbortSignal
  /** Aborts everything. */
  readonly abandoned: AbortSignal
}

/** Tries of one fit under one `Idempotency-Key`, a pause apart: longer than any outage. */
const repeatsMax = 200
const repeatPauseMs = 500

/** Resolves when the signal has aborted and the model is there. */
export async function changeAgainAndAgain(options: ChangesOptions): Promise<void> {
  const { signal, pauseMs, random } = options
  for (let round = 0; !signal.aborted; round++) {
    await playRound(options, round)
    await pause(pauseMs * (0.5 + random()), signal)
  }
}

async function playRound(options: ChangesOptions, round: number): Promise<void> {
  const { model, script, random, pauseMs, signal } = options
  switch (script) {
    case 'grows':
      await fitOnce(options)
      return
    case 'burst':
      await Promise.all([fitOnce(options), fitOnce(options), fitOnce(options)])
      return
    case 'rolled-back': {
      const first = await fitOnce(options)
      const second = await fitOnce(options)
      if (first === undefined || second === undefined) return
      await someClient(options).send({ kind: 'rollback', model, version: first })
      await pause(pauseMs * random(), signal)
      // What is fitted meanwhile waits for the release.
      if (round % 2 === 0) await fitOnce(options, { respondAsync: true })
      await untilDone(options, { kind: 'release', model })
      return
    }
    case 'reborn':
      await untilDone(options, { kind: 'delete', model })
      await fitOnce(options, { careful: true })
      await fitOnce(options)
      return
  }
}

/**
 * A fit as a careful user does it: with an `Idempotency-Key` under which it is repeated until there
 * is an answer. A careless one does not repeat it. Returns the version, if one was told.
 */
async function fitOnce(options: ChangesOptions, is: Partial<Manner> = {}) {
  const { model, random, nextData } = options
  const { careful = random() < 0.7, respondAsync = random() < 0.3 } = is
  const key = careful ? `key-${model}-${Math.floor(random() * 2 ** 48)}` : null
  const asked: Asked = { kind: 'fit', model, data: nextData(), key, respondAsync }
  const sent = careful ? untilDone(options, asked) : someClient(options).send(asked)
  return acknowledged(await sent)
}

type Manner = { readonly careful: boolean; readonly respondAsync: boolean }

export function acknowledged(entry: Entry): number | undefined {
  const answer = answerOf(entry)
  const isGood = answer?.status === 200 || answer?.status === 202
  return isGood ? (answer.version ?? undefined) : undefined
}

/** Repeats what is safe to repeat until it is answered by something else than 'not now'. */
async function untilDone(
  options: Pick<ChangesOptions, 'clients' | 'random' | 'abandoned'>,
  asked: Asked,
): Promise<Entry> {
  const client = someClient(options)
  const { abandoned } = options
  for (let i = 0; ; i++) {
    const entry = await client.send(asked)
    const isDone = (answerOf(entry)?.status ?? 503) < 500
    if (isDone || i === repeatsMax || abandoned.aborted) return entry
    await pause(repeatPauseMs, abandoned)
  }
}

function someClient({ clients, random }: Pick<ChangesOptions, 'clients' | 'random'>): Client {
  return clients[Math.floor(random() * clients.length)]!
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
