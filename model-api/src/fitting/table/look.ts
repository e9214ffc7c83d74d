import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Missing, type OpenFile, Refused } from '@almanac/shared'
import type { LookColumn, Source, TableLook } from '@almanac/tables'
import type { NodeContext } from '../../base/context.ts'
import { bounds } from '../../config/bounds.ts'

/** The public body of a look, as brokers pass it on. */
type LookAnswer = {
  readonly file: string
  readonly sizeBytes: number
  readonly format: Source['format']
  readonly compression: 'gzip' | null
  readonly encoding: string | null
  readonly delimiter: string | null
  readonly rowsRead: number
  readonly columns: readonly LookAnswerColumn[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly recipe: TableLook['recipe']
  readonly source: Source
  readonly notes: readonly string[]
}

type LookAnswerColumn = Pick<LookColumn, 'name' | 'type' | 'timeFormats' | 'decimal'> & {
  readonly distinct: number
  /** From 0 to 1, of the rows that were read. */
  readonly missingShare: number
  readonly examples: readonly string[]
}

type Asked = { readonly file: string; readonly source: Source | null }

/**
 * What a file's beginning says about it; a process of its own finds it out, which may be ended
 * at any time. Throws a refusal where there is no table; rejects with `Unavailable` where the files
 * are away, and with the signal's reason.
 */
export async function lookAtFile(
  { files, scratch }: Pick<NodeContext, 'files' | 'scratch'>,
  { file, source }: Asked,
  signal: AbortSignal,
): Promise<LookAnswer> {
  if (files === undefined)
    throw new Refused(409, 'no-place-for-files', 'This node was not told where files are.')
  const opened = await files.read(file, signal).catch((error) => {
    if (error instanceof Missing)
      throw new Refused(404, 'no-such-file', `There is no file ${file}.`, { field: '/file' })
    throw error
  })
  const folder = await scratch.make()
  try {
    const path = join(folder, 'table')
    await bringHead(opened, path, signal)
    // Only who reads tables loads what that takes.
    const { lookAtTable } = await import('@almanac/tables')
    const result = await lookAtTable(path, source, signal)
    if (result.kind === 'looked') return presented(file, opened, result.look)
    if (result.kind === 'failed') throw new Refused(500, 'look-failed', result.detail)
    const [fault] = result.faults
    throw new Refused(422, 'not-a-table', `${file} cannot be read as a table. ${fault?.detail}`, {
      field: fault?.field || '/file',
      ...(fault ? { remedy: fault.remedy } : {}),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** As much of the file as a look needs: all of it only where it is Parquet. */
async function bringHead({ info, content }: OpenFile, path: string, signal: AbortSignal) {
  const handle = await open(path, 'w')
  try {
    let written = 0
    // One more than is read, so that nobody takes the beginning for all of it.
    let wanted = textBytes
    for await (const piece of content) {
      signal.throwIfAborted()
      if (written === 0 && isParquet(piece)) wanted = parquetBytes(info)
      const part = piece.subarray(0, wanted - written)
      await handle.write(part)
      written += part.byteLength
      if (written >= wanted) return
    }
  } finally {
    await handle.close()
  }
}

/** Larger than what is looked at of a file of text. */
const textBytes = 2_097_152

function parquetBytes({ name, sizeBytes }: OpenFile['info']): number {
  if (sizeBytes <= bounds.lookParquetBytesMax) return sizeBytes
  const most = bounds.lookParquetBytesMax
  throw new Refused(422, 'too-large', `${name} has more than ${most} bytes of Parquet.`, {
    field: '/file',
    remedy: 'Write its recipe by hand, or have a look at a smaller file of the same columns.',
  })
}

const isParquet = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 4)).equals(parquetMark)
const parquetMark = Buffer.from('PAR1')

function presented(file: string, { info }: OpenFile, look: TableLook): LookAnswer {
  const { source, isGzip, rowsRead, columns, rows, recipe, notes } = look
  const { format } = source
  return {
    ...{ file, sizeBytes: info.sizeBytes, format, compression: isGzip ? 'gzip' : null },
    encoding: format === 'parquet' ? null : (source.encoding ?? 'utf-8'),
    delimiter: format === 'csv' ? (source.delimiter ?? ',') : null,
    rowsRead,
    columns: columns.map(({ name, type, timeFormats, decimal, samples, missing, distinct }) => ({
      ...{ name, type, timeFormats, decimal, distinct },
      missingShare: Number((missing / rowsRead).toFixed(4)),
      examples: samples.map(shown),
    })),
    rows: rows.map((row) => row.map((value) => (value === null ? null : shown(value)))),
    ...{ recipe, source, notes },
  }
}

function shown(value: string): string {
  const most = bounds.lookCharactersMax
  return value.length <= most ? value : `${value.slice(0, most)}…`
}
