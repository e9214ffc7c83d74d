import { filesPlace, integer, type Setting, type Settings } from '@almanac/shared'
import { bounds } from './bounds.ts'

const address: Setting<string | null> = {
  flag: 'spark',
  env: 'ALMANAC_SPARK',
  shape: 'sc://HOST:PORT',
  fallback: null,
  help: 'A server of Spark Connect (4.0) that does the work on large tables.',
  parse: (value) => {
    const found = /^sc:\/\/([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?\/?$/.exec(value)
    if (found === null) return { fault: `"${value}" is not like sc://10.0.0.7:15002` }
    return { value: `${found[1]}${found[2] ?? ':15002'}` }
  },
}

/** What a node is told of Spark. */
export const sparkSettings = {
  spark: address,
  sparkStage: filesPlace({
    flag: 'spark-stage',
    env: 'ALMANAC_SPARK_STAGE',
    help: 'Where nodes and Spark both read and write, for the time of a fit.',
  }),
  sparkOverMb: integer({
    flag: 'spark-over-mb',
    env: 'ALMANAC_SPARK_OVER_MB',
    fallback: bounds.sparkOverMb,
    minimum: 0,
    maximum: 1_048_576,
    help: 'Files above this size go to Spark; others are read by the node alone.',
  }),
} as const

export type SparkSettings = Settings<typeof sparkSettings>

/** What is wrong with these settings that are each fine. */
export function checkSparkSettings(given: SparkSettings): readonly string[] {
  if ((given.spark === null) === (given.sparkStage === null)) return []
  return ['--spark and --spark-stage go together']
}
