import { assert } from '../base/assert.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { Damaged } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { readBlob, writeBlob } from './blob.ts'
import { manifestOf } from './manifest.ts'
import type { BlobListing, BlobRef, Page, RecordRef, Store } from './port.ts'
import type { BlobRow, Rows } from './rows.ts'

/** The store over a backend's rows: what all backends have in common. */
export function storeOver(rows: Rows, clock: Pick<Clock, 'wallTime'> = systemClock): Store {
  return {
    writeBlob: async (upload, signal) => {
      checkBlob(upload)
      return await writeBlob(rows, clock, upload, signal)
    },
    readBlob: async (ref, signal) => {
      checkBlob(ref)
      return await readBlob(rows, ref, signal)
    },
    readManifest: async (ref, signal) => {
      checkBlob(ref)
      const row = await rows.find(ref, signal)
      return row && manifestOf(row)
    },
    listBlobs: async (kind, page, signal) => {
      const found = await rows.list(kind, page.after, rowsOf(page) + 1, signal)
      const blobs = found.slice(0, rowsOf(page)).map(listingOf)
      return { blobs, next: nextAfter(blobs, found) }
    },
    deleteBlob: async (ref, signal) => {
      checkBlob(ref)
      await rows.remove(ref, signal)
    },
    putRecord: async (record, signal) => {
      checkRecord(record)
      const sizeBytes = Buffer.byteLength(record.value)
      if (sizeBytes > limits.valueBytesMax)
        throw new RangeError(`a record of ${sizeBytes} bytes is above ${limits.valueBytesMax}`)
      await rows.putRecord(record, signal)
    },
    getRecord: async (ref, signal) => {
      checkRecord(ref)
      return await rows.getRecord(ref, signal)
    },
    listRecords: async (scope, page, signal) => {
      const found = await rows.listRecords(scope, page.after, rowsOf(page) + 1, signal)
      const records = found.slice(0, rowsOf(page))
      return { records, next: nextAfter(records, found) }
    },
    deleteRecord: async (ref, signal) => {
      checkRecord(ref)
      await rows.deleteRecord(ref, signal)
    },
    ping: (signal) => rows.ping(signal),
    close: () => rows.close(),
  }
}

/** Ids are ASCII, so that text order is the same in JavaScript and in every database. */
const blobIdPattern = /^[A-Za-z0-9._-]{1,64}$/
const recordPartPattern = /^[\x21-\x7e]{1,200}$/

function checkBlob(ref: BlobRef): void {
  assert(blobIdPattern.test(ref.id), `not a blob id: ${JSON.stringify(ref.id.slice(0, 100))}`)
}

function checkRecord(ref: RecordRef): void {
  for (const part of [ref.collection, ref.scope, ref.id])
    assert(recordPartPattern.test(part), `bad record key: ${JSON.stringify(part.slice(0, 100))}`)
}

function rowsOf(page: Page): number {
  assert(Number.isInteger(page.limit) && page.limit > 0, `a page of ${page.limit} items`)
  return Math.min(page.limit, limits.pageItemsMax)
}

/** One row more than the page was asked for: whether there is a next page is known, not guessed. */
function nextAfter(page: readonly { id: string }[], found: readonly unknown[]): string | null {
  return found.length > page.length ? (page.at(-1)?.id ?? null) : null
}

function listingOf(row: BlobRow): BlobListing {
  const { kind, id, begunAt } = row
  try {
    return { kind, id, begunAt, manifest: manifestOf(row) ?? null }
  } catch (error) {
    // One damaged manifest must not hide the rest of the list, nor keep its garbage for ever.
    if (error instanceof Damaged) return { kind, id, begunAt, manifest: null }
    throw error
  }
}
