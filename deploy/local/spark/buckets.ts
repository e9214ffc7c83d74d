import { join } from 'node:path'
import { installJars } from '../jars.ts'

/** An object store whose buckets Spark is to see. */
export type SparkBuckets = {
  readonly endpoint: string
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** Of Spark's own Hadoop. */
const version = '3.4.1'

/**
 * What Spark has to be told so that `s3a://` is an object store of one's own: settings, and the
 * environment that the keys are in. The jars for it are fetched through Maven the first time.
 */
export async function bucketSettings({ endpoint, keys }: SparkBuckets) {
  const pomFile = join(import.meta.dirname, 'pom.xml')
  const lib = await installJars({ name: 'spark-s3a', version, pomFile })
  return {
    confs: {
      'spark.driver.extraClassPath': join(lib, '*'),
      'spark.hadoop.fs.s3a.endpoint': endpoint,
      'spark.hadoop.fs.s3a.endpoint.region': 'us-east-1',
      'spark.hadoop.fs.s3a.path.style.access': 'true',
    },
    env: { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey },
  }
}
