import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEtcdCoordinator } from '@almanac/shared'
import { startBackends } from '../../deploy/local/backends.ts'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import { CqlConnection } from '../../shared/src/store/cql/connection.ts'
import { keysByKind } from './keys.ts'
import type { PartOrder } from './part.ts'
import type { SoakSite } from './site.ts'

const keyspace = 'almanac'
const nodes = 3

/** A broker and three nodes, each a process, on an etcd and a CQL database. */
export async function clusterSite(): Promise<SoakSite> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-soak-'))
  const opened: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end()
  }
  try {
    const { etcd, cql, endpoints } = await startBackends(folder, opened)
    const logDir = join(folder, 'logs')
    await mkdir(logDir)
    const env = {
      ALMANAC_ETCD: endpoints.etcd.join(','),
      ALMANAC_CQL: endpoints.cql,
      ALMANAC_CQL_DATA_CENTER: endpoints.cqlDataCenter,
      ALMANAC_CQL_KEYSPACE: keyspace,
    }
    const parts = [
      await partOf('broker', 'broker', { env, logDir }),
      ...(await Promise.all(
        Array.from({ length: nodes }, (_, i) => partOf('node', `node-${i + 1}`, { env, logDir })),
      )),
    ]
    opened.push(() => Promise.all(parts.map(({ process }) => process.stop())))
    // The broker first: it makes the tables.
    for (const { process } of parts) await process.start()
    const coordinator = await openEtcdCoordinator({
      endpoints: etcd.endpoints,
    })
    opened.push(() => coordinator.close())
    const tables = new CqlConnection({
      contactPoints: [cql.contactPoint],
      localDataCenter: cql.localDataCenter,
      keyspace,
      callTimeoutMs,
    })
    opened.push(() => tables.close())
    return {
      url: parts[0]!.process.url,
      parts: () =>
        parts.map(({ process: { name, pid }, vitalsPort }) => ({ name, pid: pid!, vitalsPort })),
      keys: () => keysByKind(coordinator),
      rows: async () => ({
        blobs: await rowsOf(tables, 'blobs'),
        chunks: await rowsOf(tables, 'chunks'),
        ...(await recordsOf(tables)),
      }),
      fileMb: async () => ({}),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function partOf(
  kind: PartOrder['kind'],
  name: string,
  { env, logDir }: { readonly env: Readonly<Record<string, string>>; readonly logDir: string },
) {
  const [port, vitalsPort] = [await freePort(), await freePort()]
  const process = new ManagedProcess({
    name,
    script: 'chaos/soak/part.ts',
    args: [JSON.stringify({ kind, port, vitalsPort } satisfies PartOrder)],
    env,
    url: `http://127.0.0.1:${port}`,
    logDir,
    readyPath: '/readyz',
    readyMs: 60_000,
  })
  return { process, vitalsPort }
}

/** To count the rows of a table the database reads them all. */
const callTimeoutMs = 20_000

async function rowsOf(tables: CqlConnection, table: string): Promise<number> {
  const [row] = await asked(tables, `SELECT count(*) AS n FROM ${keyspace}.${table}`)
  return Number(row?.n)
}

async function recordsOf(tables: CqlConnection): Promise<Record<string, number>> {
  const counts = { jobRecords: 0, versionRecords: 0, logRecords: 0 }
  const names: Readonly<Record<string, keyof typeof counts>> = {
    jobs: 'jobRecords',
    versions: 'versionRecords',
    log: 'logRecords',
  }
  const query =
    `SELECT collection, count(*) AS n FROM ${keyspace}.records ` +
    'GROUP BY collection, scope, bucket'
  for (const { collection, n } of await asked(tables, query)) {
    const name = names[String(collection)]
    if (name !== undefined) counts[name] += Number(n)
  }
  return counts
}

function asked(tables: CqlConnection, query: string) {
  return tables.execute(
    { query, parameters: [], size: 'row', rowsMax: partitionsMax },
    AbortSignal.timeout(callTimeoutMs),
  )
}

/** A minute of jobs, or a thousand versions of a model, share a partition. */
const partitionsMax = 10_000
