/** One request and what became of it, as its client saw it. */
export type Entry = {
  /** In the order of being sent. */
  readonly number: number
  readonly client: string
  /** The name of the broker that it was sent to, as `broker-1`. */
  readonly broker: string
  readonly asked: Asked
  /** On the monotonic clock of the process that records. */
  readonly sentMs: number
  readonly doneMs: number
  readonly outcome: Outcome
}

/** What was asked for. */
export type Asked =
  | {
      readonly kind: 'forecast'
      readonly model: string
      readonly horizon: number
      /** As in the query; empty for none. */
      readonly level: string
      /** By number; null asks for what serves. */
      readonly version: number | null
      readonly atLeast: number | null
    }
  | {
      readonly kind: 'fit'
      readonly model: string
      /** The name of the data: see `chaos/traffic/data.ts`. */
      readonly data: string
      /** The `Idempotency-Key`. */
      readonly key: string | null
      readonly respondAsync: boolean
    }
  | { readonly kind: 'rollback'; readonly model: string; readonly version: number }
  | { readonly kind: 'release' | 'delete' | 'look'; readonly model: string }

export type Outcome =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** `x-model-version`, or what the body says serves; null when neither says one. */
      readonly version: number | null
      /** Of a look: how often the serving version has changed. */
      readonly changes: number | null
      /** The body, in few bytes: equal bodies have equal digests. Empty for none. */
      readonly digest: string
      /** Of a forecast without its intervals: what the model says whatever level was asked for. */
      readonly pointsDigest: string
      readonly retryAfter: boolean
      /** Of a fit. */
      readonly job: string | null
      /** `serving`, `superseded`, …, of a fit; the code of a problem; else empty. */
      readonly word: string
      /** The detail of a problem, cut short. */
      readonly detail: string
    }
  /** No connection: nobody has worked on it. */
  | { readonly kind: 'unreached'; readonly why: string }
  /** The connection broke, or the client lost its patience: it may have been done or not. */
  | { readonly kind: 'unknown'; readonly why: string }

export type Forecast = Entry & { readonly asked: Extract<Asked, { kind: 'forecast' }> }
export type Fit = Entry & { readonly asked: Extract<Asked, { kind: 'fit' }> }
export type Answered = Extract<Outcome, { kind: 'answered' }>

export const isForecast = (entry: Entry): entry is Forecast => entry.asked.kind === 'forecast'
export const isFit = (entry: Entry): entry is Fit => entry.asked.kind === 'fit'

/** The answer, if there was one, of this status or of any. */
export function answerOf(entry: Entry, status?: number): Answered | undefined {
  const { outcome } = entry
  if (outcome.kind !== 'answered') return undefined
  return status === undefined || outcome.status === status ? outcome : undefined
}

/**
 * Whether nobody has done what was asked for: it was not reached, or it says that something that it
 * needs is away. A 503 of another kind leaves it open (docs/api.md).
 */
export function isKnownUndone({ outcome }: Entry): boolean {
  if (outcome.kind === 'unreached') return true
  return outcome.kind === 'answered' && outcome.status === 503 && outcome.word.endsWith('-away')
}

/** An entry as people want to read it beside a violation. */
export function told(entry: Entry): string {
  const { asked, outcome, broker, client, sentMs, doneMs } = entry
  const tookMs = Math.round(doneMs - sentMs)
  const what = Object.entries(asked)
    .filter(([name, value]) => name !== 'kind' && value !== null && value !== '')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
  const became =
    outcome.kind === 'answered'
      ? `${outcome.status} version ${outcome.version} ${outcome.word} ${outcome.detail}`.trim()
      : `${outcome.kind} (${outcome.why})`
  return (
    `${asked.kind} (${what}) by ${client} at ${broker}, sent at ${Math.round(sentMs)} ms: ` +
    `${became} after ${tookMs} ms`
  )
}
