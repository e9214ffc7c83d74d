import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// What was compiled once is not compiled at the next start, which takes half of the time. Where the
// folder cannot be written nothing is kept. Threads learn of the folder from the environment. All of
// it only helps from a file that needs no compiler of TypeScript itself: that takes 18 MB a thread.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../../.cache/compiled')
enableCompileCache()

await import('./start.ts')
