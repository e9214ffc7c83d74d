import {
  codecs,
  isRegression,
  type ModelName,
  modelId,
  Refused,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { columnsOf, type RegressionSpec } from '@almanac/tables/regress'
import { askOfVersion } from '../../routing/ask.ts'
import type { RowsAsk } from '../../routing/predictions.ts'
import type { ApiParts } from '../parts.ts'
import { readModelName, readVersion, refuseStrangers } from '../question.ts'

/** Who is asked for predictions, about rows with which columns: known before any is looked at. */
export type PredictionCourse = {
  readonly ask: RowsAsk
  readonly requestId: string
  /** The client's patience. */
  readonly signal: AbortSignal
}

/**
 * The version that a question means, which stays the same for all of its rows. Throws `Refused`
 * where there is none, or where it predicts no rows.
 */
export async function predictionCourse(
  parts: Pick<ApiParts, 'tenant' | 'forecaster' | RecordParts>,
  model: string,
  query: Readonly<Record<string, unknown>>,
  requestId: string,
  signal: AbortSignal,
): Promise<PredictionCourse> {
  const of = { tenant: parts.tenant, model: readModelName(model) }
  refuseStrangers(query, ['version'])
  const asked = askOfVersion(of, readVersion(query.version))
  const version = await parts.forecaster.version(asked, requestId, signal)
  const { spec } = await recordOf(parts, of, version)
  if (!isRegression(spec))
    throw new Refused(422, 'no-regression', `Version ${version} of ${model} predicts no rows.`, {
      remedy: 'Ask it for a forecast: GET /api/models/{model}/forecast/{horizon}.',
    })
  const columns = columnsOf(spec as RegressionSpec)
  return { ask: { ...of, version, columns }, requestId, signal }
}

type RecordParts = 'state' | 'coordinator' | 'bounds'

/** What is recorded of a version that a question means. */
export async function recordOf(
  { state, coordinator, bounds }: Pick<ApiParts, RecordParts>,
  of: ModelName,
  version: number,
): Promise<VersionRecord> {
  const seen = state().versions.get(modelId(of))?.get(version)?.value
  if (seen) return seen
  const signal = AbortSignal.timeout(bounds.coordinatorCallMs)
  const entry = await coordinator.get(versionKey(of, version), signal)
  const record = entry && codecs.version.decode(entry.value)
  if (record?.ok) return record.value
  throw new Refused(410, 'version-gone', `Version ${version} of ${of.model} is not kept any more.`)
}
