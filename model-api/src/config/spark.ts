import {
  filesPlace,
  integer,
  isLoopback,
  type Setting,
  type Settings,
  secret,
} from '@almanac/shared'
import { bounds } from './bounds.ts'

/** A server, and whether it is spoken to by TLS. */
type SparkServer = { readonly address: string; readonly tls: boolean }

const server: Setting<SparkServer | null> = {
  flag: 'spark',
  env: 'ALMANAC_SPARK',
  shape: 'sc://HOST:PORT[/;use_ssl=true]',
  fallback: null,
  help: 'A server of Spark Connect (4.0) that does the work on large tables.',
  parse: (value) => {
    // It is not repeated: what is here can be read by every user of the machine, and in logs.
    if (/;token=/i.test(value))
      return { fault: `a token is no part of it: give it as ${tokenVariable}` }
    const found = form.exec(value)
    if (found === null) return { fault: `"${value}" is not like sc://10.0.0.7:15002` }
    const [, host, port = ':15002', isTls] = found
    return { value: { address: `${host}${port}`, tls: isTls === 'true' } }
  },
}

const tokenVariable = 'ALMANAC_SPARK_TOKEN'
const form =
  /^sc:\/\/([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?(?:\/?|\/;use_ssl=(true|false);?)$/

/** What a node is told of Spark. */
export const sparkSettings = {
  spark: server,
  sparkToken: secret({
    flag: 'spark-token',
    env: tokenVariable,
    help: 'Says to Spark who asks, over TLS or on this machine.',
  }),
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
  const { spark, sparkStage, sparkToken } = given
  if ((spark === null) !== (sparkStage === null)) return ['--spark and --spark-stage go together']
  if (sparkToken === null) return []
  if (spark === null) return [`${tokenVariable} goes with --spark`]
  const host = spark.address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  if (spark.tls || isLoopback(host)) return []
  return [`${tokenVariable} goes over TLS alone: say --spark "sc://${spark.address}/;use_ssl=true"`]
}
