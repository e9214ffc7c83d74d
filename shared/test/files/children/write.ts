import { openFolderFiles } from '../../../src/index.ts'
import { thenNothing } from '../backend.ts'

/** Writes half a file, until it is ended. */
const [path = '', name = ''] = process.argv.slice(2)
const files = await openFolderFiles({ path })
await files.write(name, thenNothing(Buffer.alloc(1_000)), new AbortController().signal)
