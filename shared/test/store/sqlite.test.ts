import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type BlobRef, openSqliteStore } from '../../src/index.ts'
import type { Backend } from './backend.ts'
import { storeConformance } from './conformance.ts'

storeConformance('the store on SQLite', async (): Promise<Backend> => {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-store-'))
  const path = join(folder, 'store.sqlite')
  await (await openSqliteStore({ path })).close()
  const database = new DatabaseSync(path, { timeout: 5_000 })
  const where = 'WHERE kind = ? AND id = ?'
  const key = ({ kind, id }: BlobRef) => [kind, id] as const
  return {
    open: (clock) => openSqliteStore({ path, ...(clock ? { clock } : {}) }),
    getChunk: async (ref, number) => {
      const query = `SELECT bytes, sha256 FROM chunks ${where} AND number = ?`
      const row = database.prepare(query).get(...key(ref), number)
      return row && { bytes: row.bytes as Uint8Array, sha256: String(row.sha256) }
    },
    setChunk: async (ref, number, chunk) => {
      database.prepare(`DELETE FROM chunks ${where} AND number = ?`).run(...key(ref), number)
      if (chunk === undefined) return
      database
        .prepare('INSERT INTO chunks (kind, id, number, bytes, sha256) VALUES (?, ?, ?, ?, ?)')
        .run(...key(ref), number, chunk.bytes, chunk.sha256)
    },
    alterManifest: async (ref, column, value) => {
      database.prepare(`UPDATE blobs SET ${column} = ? ${where}`).run(value, ...key(ref))
    },
    childOptions: { path },
    stop: async () => {
      database.close()
      await rm(folder, { recursive: true })
    },
  }
})
