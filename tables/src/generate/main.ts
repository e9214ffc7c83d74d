import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { csvOf } from './csv.ts'
import { type GenerateOptions, readOptions, usage } from './options.ts'
import { parquetOf } from './parquet.ts'
import { makeSalesWorld } from './sales.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return 0
  }
  const read = readOptions(args)
  if ('faults' in read) {
    console.error(`${read.faults.join('\n')}\n\n${usage}`)
    return 2
  }
  try {
    await write(read.options)
    return 0
  } catch (error) {
    // Whoever reads has seen enough, as `head` has.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0
    console.error(`The table could not be written: ${(error as Error).message}`)
    return 1
  }
}

async function write(options: GenerateOptions): Promise<void> {
  const world = makeSalesWorld(options)
  const pieces = options.format === 'csv' ? csvOf(world) : parquetOf(world)
  const source = Readable.from(pieces, { objectMode: false })
  const target = options.out === null ? process.stdout : createWriteStream(options.out)
  if (options.gzip) await pipeline(source, createGzip(), target)
  else await pipeline(source, target)
}
