import { S3Client } from '@aws-sdk/client-s3'
import { limits } from '../../base/limits.ts'
import { type FilesOptions, filesOver } from '../files.ts'
import type { Files } from '../port.ts'
import { Bucket } from './bucket.ts'

export type S3FilesOptions = FilesOptions & {
  readonly bucket: string
  /** Before every name; empty, or with a slash at its end. */
  readonly prefix: string
  /** Null: that of AWS for the region. */
  readonly endpoint: string | null
  /** Default: `AWS_REGION`, or what an object store of one's own does not look at. */
  readonly region?: string
  /** Default: those of `AWS_ACCESS_KEY_ID`, or of the machine, as the client finds them. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/**
 * Files in a bucket of AWS or of another object store that speaks its protocol. Resolves nothing
 * and calls nobody before it is used. What is written in parts and not finished is aborted, at the
 * latest when it is a day old.
 */
export function openS3Files(options: S3FilesOptions): Files {
  const { endpoint, credentials, bucket, prefix } = options
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const client = new S3Client({
    region: options.region || AWS_REGION || AWS_DEFAULT_REGION || 'us-east-1',
    // A name of its own for each bucket is more than most stores beside AWS have.
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials ? { credentials } : {}),
    // The client's own checksums are newer than most of those stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: options.callMs ?? limits.fileCallMs,
      httpAgent: { maxSockets: socketsMax, keepAlive: true },
      httpsAgent: { maxSockets: socketsMax, keepAlive: true },
    },
  })
  return filesOver(new Bucket(client, bucket, prefix), options, { name: bucket, prefix })
}

/** One for each transfer, with a second part under way, and for each call. */
const socketsMax = 2 * limits.fileTransfersMax + limits.fileCallsMax
