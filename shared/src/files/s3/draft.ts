import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { limits } from '../../base/limits.ts'
import type { Draft } from '../backend.ts'
import { bare } from './bucket.ts'
import { refusalOfPlace, unavailable } from './faults.ts'

type Part = { readonly PartNumber: number; readonly ETag: string | undefined }

/**
 * A file on its way into a bucket: what fits into one part is one request, more is an upload in
 * parts. One part is sent while the next one fills; so two of them are in memory. An object store
 * shows the object when the upload is completed, and not before.
 */
export class S3Draft implements Draft {
  readonly #client: S3Client
  readonly #object: { readonly Bucket: string; readonly Key: string }
  readonly #name: string
  readonly #given = new AbortController()
  readonly #parts: Part[] = []
  #filling: Buffer
  #resting: Buffer | undefined
  #filled = 0
  #sending: Promise<void> = Promise.resolve()
  #uploadId: string | undefined

  constructor(client: S3Client, object: { Bucket: string; Key: string }, name: string) {
    this.#client = client
    this.#object = object
    this.#name = name
    this.#filling = Buffer.allocUnsafeSlow(limits.filePartBytes)
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      // Not when it is full, but when there is more: the last part must not be empty.
      if (this.#filled === this.#filling.byteLength) await this.#sendPart()
      const count = Math.min(bytes.byteLength - at, this.#filling.byteLength - this.#filled)
      this.#filling.set(bytes.subarray(at, at + count), this.#filled)
      this.#filled += count
      at += count
    }
  }

  async finish(): Promise<string> {
    try {
      if (this.#uploadId === undefined) return await this.#putWhole()
      await this.#sendPart()
      await this.#sending
      const { ETag = '' } = await this.#client.send(
        new CompleteMultipartUploadCommand({
          ...this.#upload(),
          MultipartUpload: { Parts: this.#parts },
        }),
        this.#options(),
      )
      return bare(ETag)
    } catch (error) {
      throw refusalOfPlace(this.#name, error)
    }
  }

  async discard(signal: AbortSignal): Promise<void> {
    this.#given.abort(new Error('the file is given up'))
    // A part that arrives after the end of its upload would be kept.
    await this.#sending.catch(() => {})
    if (this.#uploadId === undefined) return
    const abort = new AbortMultipartUploadCommand(this.#upload())
    await this.#client.send(abort, { abortSignal: signal })
  }

  /** Sends what is filled, once the part before has arrived. */
  async #sendPart(): Promise<void> {
    try {
      await this.#sending
      this.#uploadId ??= await this.#begin()
    } catch (error) {
      throw unavailable(error)
    }
    const full = this.#filling
    this.#sending = this.#sendOne(full.subarray(0, this.#filled), this.#parts.length + 1)
    // Heard of with the next part, or at the end.
    this.#sending.catch(() => {})
    this.#filling = this.#resting ?? Buffer.allocUnsafeSlow(full.byteLength)
    this.#resting = full
    this.#filled = 0
  }

  async #begin(): Promise<string> {
    const begin = new CreateMultipartUploadCommand(this.#object)
    const { UploadId = '' } = await this.#client.send(begin, this.#options())
    return UploadId
  }

  async #sendOne(Body: Uint8Array, PartNumber: number): Promise<void> {
    const command = new UploadPartCommand({ ...this.#upload(), PartNumber, Body })
    const { ETag } = await this.#client.send(command, this.#options())
    this.#parts.push({ PartNumber, ETag })
  }

  async #putWhole(): Promise<string> {
    const Body = this.#filling.subarray(0, this.#filled)
    const put = this.#client.send(new PutObjectCommand({ ...this.#object, Body }), this.#options())
    this.#sending = put.then(() => {})
    this.#sending.catch(() => {})
    return bare((await put).ETag ?? '')
  }

  #upload() {
    return { ...this.#object, UploadId: this.#uploadId }
  }

  #options() {
    return { abortSignal: this.#given.signal }
  }
}
