import { once } from 'node:events'
import { connect } from 'node:net'
import { assert, type Clock, type FilesSettings, type Logger, openFiles } from '@almanac/shared'
import type { SparkRun } from '@almanac/tables'
import { bounds } from '../config/bounds.ts'
import type { SparkSettings } from '../config/spark.ts'
import { bucketStage, folderStage } from '../fitting/table/spark-place.ts'

type OpenSpark = { readonly run: SparkRun; readonly close: () => Promise<void> }

/**
 * What the settings say of Spark. Where it cannot be reached yet the log says so, and that is all:
 * it is needed by no more than tables, which wait for it.
 */
export async function openSpark(
  settings: SparkSettings & FilesSettings,
  logger: Logger,
  clock: Clock,
): Promise<OpenSpark | undefined> {
  const { spark, sparkStage: at, sparkOverMb, sparkToken: token } = settings
  if (spark === null || at === null) return undefined
  const { address } = spark
  void reach(address).catch((error: Error) => {
    const said = `Tables above ${sparkOverMb} MB wait until Spark answers: ${error.message}`
    logger.warn({ event: 'spark-away', address, said })
  })
  const server = { ...spark, token, overBytes: sparkOverMb * 1_048_576 }
  if (at.kind === 'folder') {
    const { place } = folderStage(at.path, clock)
    return { run: { ...server, place }, close: async () => {} }
  }
  const files = await openFiles({ ...settings, files: at }, logger, clock)
  assert(files !== undefined, 'there is a place for them')
  const { place } = bucketStage(files, at, clock)
  return { run: { ...server, place }, close: () => files.close() }
}

/** Rejects where nobody listens. */
async function reach(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(bounds.sparkReachMs) })
  } finally {
    socket.destroy()
  }
}
