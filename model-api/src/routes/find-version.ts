import { modelId, type NotLoaded, namePattern, Refused } from '@almanac/shared'
import type { LoadedVersion } from '../serving/load-version.ts'
import type { OnDemandVersions } from '../serving/on-demand-versions.ts'
import type { PlacedVersions } from '../serving/placed-versions.ts'
import type { ModelsView } from '../serving/view.ts'

export type FindParts = {
  readonly placed: PlacedVersions
  readonly onDemand: OnDemandVersions
  readonly view: ModelsView
  /** A node without the role `serve` has nothing loaded and loads nothing. */
  readonly serves: boolean
}

/** A version as it stands in a path, not checked yet. */
export type AskedVersion = {
  readonly tenant: string
  readonly model: string
  readonly version: string
}

/** The same, checked. */
export type Place = ReturnType<typeof readPlace>

export type Said = {
  readonly status: 200 | 409
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export const json = { 'content-type': 'application/json; charset=utf-8' } as const

/** The version that a path names. Throws a 400 where it names none. */
export function readPlace({ tenant, model, version: text }: AskedVersion) {
  if (!name.test(tenant) || !name.test(model))
    throw new Refused(400, 'invalid', 'This is not the name of a model.', { field: 'model' })
  const of = { tenant, model }
  return { of, id: modelId(of), version: readNumber('version', text, 1) }
}

/** A whole number in a path. */
export function readNumber(field: string, text: string, minimum: 0 | 1): number {
  if (/^(0|[1-9]\d{0,14})$/.test(text) && Number(text) >= minimum) return Number(text)
  throw new Refused(400, 'invalid', `${field} must be a whole number from ${minimum}.`, { field })
}

/** Exactly that version; undefined where it is not here, and not to be loaded or not there. */
export function findVersion(
  parts: FindParts,
  { of, id, version }: Place,
  load: boolean,
): LoadedVersion | Promise<LoadedVersion | undefined> | undefined {
  const loaded = parts.placed.find(id, version) ?? parts.onDemand.find(of, version)
  if (loaded || !load || !parts.serves) return loaded
  return parts.onDemand.load(of, version)
}

const name = new RegExp(namePattern)

/** The node's own view of the model, for a broker that is behind it. */
export function notLoaded(view: ModelsView, { of, id, version }: Place): Said {
  const held = view.state.models.get(id)
  const body: NotLoaded = {
    type: 'not-loaded',
    tenant: of.tenant,
    model: of.model,
    version,
    record: held?.text ?? null,
    modRevision: held?.modRevision ?? 0,
  }
  return { status: 409, headers: json, body: Buffer.from(JSON.stringify(body)) }
}
