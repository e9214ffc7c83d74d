import { type ModelName, modelId, Refused, unreachable } from '@almanac/shared'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Allocated, type Idempotency, sha256Of } from '../jobs/allocate.ts'
import { type FitOutcome, fitOutcome } from '../jobs/fit-outcome.ts'
import type { ApiParts } from './parts.ts'

/** A version that is on its way; or a job that makes none, which is not waited for. */
type Begun = Allocated & { readonly of: ModelName; readonly isVersion?: boolean }

/** Begins a version, and answers when it serves or failed, or when the client's patience ends. */
export async function answerWhenMade(
  parts: ApiParts,
  request: FastifyRequest,
  reply: FastifyReply,
  begin: () => Promise<Begun>,
) {
  const waitMs = readPatience(request.headers.prefer, parts.bounds.fitWaitMs)
  const { of, job, version, revision, isVersion = true } = await begin()
  const { model } = of
  const left = new AbortController()
  // Who leaves cancels nothing; only the waiting ends.
  reply.raw.once('close', () => left.abort())
  const look = () => fitOutcome(parts.state(), { of, version, job, revision })
  const startedMs = parts.clock.monotonicMs()
  const outcome = isVersion
    ? await parts.waiters.until(modelId(of), look, waitMs, left.signal)
    : undefined
  const seconds = (parts.clock.monotonicMs() - startedMs) / 1_000
  const known = { outcome: outcome?.kind ?? 'later' }
  parts.metrics.fits.inc(known)
  parts.metrics.fitSeconds.observe(known, seconds)
  return send(parts, reply, { model, version, job, isVersion }, outcome)
}

function send(
  parts: ApiParts,
  reply: FastifyReply,
  fitted: {
    readonly model: string
    readonly version: number
    readonly job: string
    readonly isVersion: boolean
  },
  outcome: FitOutcome | undefined,
) {
  const id = modelId({ tenant: parts.tenant, model: fitted.model })
  const serving = parts.state().models.get(id)?.value.serving ?? null
  const { model, version, job, isVersion } = fitted
  reply.header('x-model-version', String(version)).header('location', `/api/jobs/${job}`)
  const later = () => {
    const known = parts.state().versions.get(id)?.get(version)?.value.state
    const isUnderWay = isVersion && (known === 'fitting' || known === 'stored')
    const state = isUnderWay ? known : 'queued'
    return reply.code(202).send({ model, version, state, job, serving })
  }
  switch (outcome?.kind) {
    case undefined:
    case 'held':
      return later()
    case 'serving':
    case 'superseded':
      return reply.code(200).send({ model, version, state: outcome.kind, job, serving })
    case 'failed': {
      const { phase, reason, detail } = outcome.error
      const text = `Version ${version} of ${model} failed (${phase}: ${reason}). ${detail}`.trim()
      const remedy = serving === null ? undefined : `Version ${serving} goes on serving.`
      throw new Refused(422, `fit-${reason}`, text, remedy ? { remedy } : {})
    }
    default:
      return unreachable(outcome)
  }
}

/** `Prefer: respond-async` waits for nothing, `Prefer: wait=10` for ten seconds (RFC 7240). */
export function readPatience(prefer: string | string[] | undefined, mostMs: number): number {
  const preferences = String(prefer ?? '').split(/[,;]/)
  const named = preferences.map((text) => text.trim().toLowerCase())
  if (named.includes('respond-async')) return 0
  const wait = named.map((text) => /^wait=(\d{1,6})$/.exec(text)?.[1]).find(Boolean)
  return wait === undefined ? mostMs : Math.min(mostMs, Number(wait) * 1_000)
}

/** The header, and what it stands for: `what` is asked, with this body. Throws a 400. */
export function readIdempotency(
  key: string | string[] | undefined,
  what: readonly string[],
  body: Buffer,
): Idempotency | null {
  if (key === undefined) return null
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key))
    throw new Refused(400, 'invalid', 'Idempotency-Key must be 1 to 255 printable characters.', {
      field: 'idempotency-key',
    })
  return { hash: sha256Of(key), body: sha256Of(what.join('\n'), '\n', body) }
}
