import { randomUUID } from 'node:crypto'
import type { Client, types } from 'cassandra-driver'
import { systemClock } from '../../base/clock.ts'
import { Unavailable } from '../../base/errors.ts'
import { newerSchema } from '../schema.ts'
import type { CqlStoreOptions } from './options.ts'
import { keyspaceStatement, migrations, versionTables } from './schema.ts'

/** A change of the schema waits for all nodes to agree on it. */
const changeTimeoutMs = 20_000
/** A claim whose holder died is free again after this long. */
const claimTtlSeconds = 60
const claimPauseMs = 200
const migrateTimeoutMs = 90_000

/**
 * Brings the schema up to date. Of several processes that start at once one migrates, under a
 * claim; the others wait for it. Throws `NewerSchema` when a later release has made it so that
 * this one must not work on it any more, `Unavailable` when it takes too long.
 */
export async function migrate(
  client: Client,
  options: CqlStoreOptions,
  signal: AbortSignal,
): Promise<void> {
  const { keyspace } = options
  await prepareVersionTables(client, options)
  const holder = randomUUID()
  const until = performance.now() + migrateTimeoutMs
  while (!(await isUpToDate(client, keyspace))) {
    signal.throwIfAborted()
    if (performance.now() > until)
      throw new Unavailable('store', `the schema of ${keyspace} is being migrated for too long`)
    if (await claim(client, keyspace, holder)) {
      await runMigrations(client, keyspace)
      await release(client, keyspace, holder)
    } else {
      await systemClock.sleep(claimPauseMs, signal)
    }
  }
}

/** Looks before it creates: a statement that changes nothing still makes nodes agree anew. */
async function prepareVersionTables(client: Client, options: CqlStoreOptions): Promise<void> {
  const { keyspace } = options
  const read = (query: string) => client.execute(query, [keyspace], { prepare: true })
  const keyspaces = await read(
    'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?',
  )
  if (keyspaces.rowLength === 0) await change(client, keyspaceStatement(options))
  const tables = await read('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?')
  const there = new Set(tables.rows.map((row) => String(row.table_name)))
  for (const [table, statement] of versionTables(keyspace))
    if (!there.has(table)) await change(client, statement)
}

async function isUpToDate(client: Client, keyspace: string): Promise<boolean> {
  const known = migrations(keyspace).length
  const row = await versionRow(client, keyspace)
  const found = Number(row?.version ?? 0)
  if (found > known && Number(row?.compatible) > known)
    throw newerSchema(`keyspace ${keyspace}`, found, known)
  return found >= known
}

async function runMigrations(client: Client, keyspace: string): Promise<void> {
  const found = Number((await versionRow(client, keyspace))?.version ?? 0)
  for (const [index, { compatible, statements }] of migrations(keyspace).entries()) {
    if (index < found) continue
    for (const statement of statements) await change(client, statement)
    await client.execute(
      `INSERT INTO ${keyspace}.schema_version (part, version, compatible) VALUES (?, ?, ?)`,
      ['store', index + 1, compatible],
      { prepare: true },
    )
  }
}

async function versionRow(client: Client, keyspace: string): Promise<types.Row | undefined> {
  const query = `SELECT version, compatible FROM ${keyspace}.schema_version WHERE part = ?`
  const { rows } = await client.execute(query, ['store'], { prepare: true, isIdempotent: true })
  return rows[0]
}

async function claim(client: Client, keyspace: string, holder: string): Promise<boolean> {
  const query = `INSERT INTO ${keyspace}.schema_claims (part, holder) VALUES (?, ?)
                 IF NOT EXISTS USING TTL ${claimTtlSeconds}`
  return await conditional(client, query, ['store', holder])
}

async function release(client: Client, keyspace: string, holder: string): Promise<void> {
  const query = `DELETE FROM ${keyspace}.schema_claims WHERE part = ? IF holder = ?`
  await conditional(client, query, ['store', holder])
}

/** Whether the condition held. */
async function conditional(client: Client, query: string, parameters: string[]): Promise<boolean> {
  try {
    const options = { prepare: true, isIdempotent: false }
    const { rows } = await client.execute(query, parameters, options)
    return rows[0]?.['[applied]'] === true
  } catch (error) {
    if (refusesConditions(error)) return true
    throw error
  }
}

/**
 * ScyllaDB before 2025.4 has no conditional writes in keyspaces with tablets, its default. There
 * nobody needs the claim: its schema changes pass through Raft one after the other, so that IF NOT
 * EXISTS holds for several that migrate at once.
 */
export function refusesConditions(error: unknown): boolean {
  return error instanceof Error && /LWT is not yet supported with tablets/i.test(error.message)
}

async function change(client: Client, statement: string): Promise<void> {
  await client.execute(statement, [], { readTimeout: changeTimeoutMs, isIdempotent: false })
}
