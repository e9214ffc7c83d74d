import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Draft, FilesBackend, ListAsked, Opened } from '../backend.ts'
import { type FileInfo, isFileName } from '../port.ts'
import { S3Draft } from './draft.ts'
import { isAbsence, unavailable } from './faults.ts'

/** The most that a store gives at once. */
const keysMax = 1_000

export class Bucket implements FilesBackend {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string

  constructor(client: S3Client, bucket: string, prefix: string) {
    this.#client = client
    this.#bucket = bucket
    this.#prefix = prefix
  }

  async begin(name: string): Promise<Draft> {
    return new S3Draft(this.#client, this.#object(name), name)
  }

  async open(name: string, signal: AbortSignal): Promise<Opened | undefined> {
    try {
      const command = new GetObjectCommand(this.#object(name))
      return openedOf(name, await this.#client.send(command, { abortSignal: signal }))
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw unavailable(error, signal)
    }
  }

  async find(name: string, signal: AbortSignal): Promise<FileInfo | undefined> {
    try {
      const command = new HeadObjectCommand(this.#object(name))
      const head = await this.#client.send(command, { abortSignal: signal })
      return infoOf(name, { ...head, Size: head.ContentLength })
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw unavailable(error, signal)
    }
  }

  /** What others put into the bucket is a file where its name is one. */
  async list(asked: ListAsked, signal: AbortSignal): Promise<readonly FileInfo[]> {
    const { prefix, count } = asked
    const found: FileInfo[] = []
    let after = asked.after
    try {
      for (;;) {
        const command = new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: this.#prefix + prefix,
          MaxKeys: Math.min(count, keysMax),
          ...(after === null ? {} : { StartAfter: this.#prefix + after }),
        })
        const page = await this.#client.send(command, { abortSignal: signal })
        for (const object of page.Contents ?? []) {
          const name = object.Key?.slice(this.#prefix.length) ?? ''
          after = name
          if (isFileName(name)) found.push(infoOf(name, object))
        }
        if (!page.IsTruncated || found.length >= count) return found.slice(0, count)
      }
    } catch (error) {
      throw unavailable(error, signal)
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    try {
      const command = new DeleteObjectCommand(this.#object(name))
      await this.#client.send(command, { abortSignal: signal })
    } catch (error) {
      if (!isAbsence(error)) throw unavailable(error, signal)
    }
  }

  async sweep(beforeMs: number, signal: AbortSignal): Promise<void> {
    const common = { Bucket: this.#bucket }
    const send = { abortSignal: signal }
    const command = new ListMultipartUploadsCommand({ ...common, Prefix: this.#prefix })
    const { Uploads = [] } = await this.#client.send(command, send)
    for (const { Key, UploadId, Initiated } of Uploads) {
      if (Initiated === undefined || Initiated.getTime() >= beforeMs) continue
      const abort = new AbortMultipartUploadCommand({ ...common, Key, UploadId })
      await this.#client.send(abort, send)
    }
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }

  #object(name: string) {
    return { Bucket: this.#bucket, Key: this.#prefix + name }
  }
}

function openedOf(name: string, got: GetObjectCommandOutput): Opened {
  const body = got.Body as Readable
  // Whoever reads hears of it; who does not must not end the process.
  body.on('error', () => {})
  const iterator = body[Symbol.asyncIterator]()
  return {
    info: infoOf(name, { ...got, Size: got.ContentLength }),
    read: async () => {
      try {
        const { done, value } = await iterator.next()
        return done ? undefined : value
      } catch (error) {
        throw unavailable(error)
      }
    },
    close: async () => {
      body.destroy()
    },
  }
}

function infoOf(
  name: string,
  of: {
    readonly Size?: number | undefined
    readonly LastModified?: Date | undefined
    readonly ETag?: string | undefined
  },
): FileInfo {
  const { Size: sizeBytes = 0, LastModified: modified = new Date(0), ETag = '' } = of
  return { name, sizeBytes, modifiedAt: modified.toISOString(), etag: bare(ETag) }
}

/** An etag without the quotes of its header. */
export const bare = (etag: string): string => etag.replaceAll('"', '')
