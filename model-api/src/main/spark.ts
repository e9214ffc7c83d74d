import { assert, type Clock, type FilesSettings, type Logger, openFiles } from '@almanac/shared'
import type { SparkRun } from '@almanac/tables'
import type { NodeSettings } from '../config/settings.ts'
import { bucketStage, folderStage } from '../fitting/table/spark-place.ts'

type OpenSpark = { readonly run: SparkRun; readonly close: () => Promise<void> }

/** What the settings say of Spark; nobody is called before there is a table for it. */
export async function openSpark(
  settings: Pick<NodeSettings, 'spark' | 'sparkStage' | 'sparkOverMb'> & FilesSettings,
  logger: Logger,
  clock: Clock,
): Promise<OpenSpark | undefined> {
  const { spark: address, sparkStage: at, sparkOverMb } = settings
  if (address === null || at === null) return undefined
  const overBytes = sparkOverMb * 1_048_576
  if (at.kind === 'folder') {
    const { place } = folderStage(at.path, clock)
    return { run: { address, overBytes, place }, close: async () => {} }
  }
  const files = await openFiles({ ...settings, files: at }, logger, clock)
  assert(files !== undefined, 'there is a place for them')
  const { place } = bucketStage(files, at, clock)
  return { run: { address, overBytes, place }, close: () => files.close() }
}
