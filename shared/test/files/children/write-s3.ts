import { openS3Files, type S3FilesOptions } from '../../../src/files/s3/open.ts'
import { limits } from '../../../src/index.ts'
import { thenNothing } from '../backend.ts'

/** Writes half a file, until it is ended. */
const [options = '', name = ''] = process.argv.slice(2)
const files = openS3Files(JSON.parse(options) as S3FilesOptions)
const half = Buffer.alloc(2 * limits.filePartBytes)
await files.write(name, thenNothing(half), new AbortController().signal)
