import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  backendSettings,
  checkClusterSettings,
  checkFilesSettings,
  choice,
  filesSettings,
  integer,
  optionalText,
  processSettings,
  type Settings,
  text,
} from '@almanac/shared'
import type { NodeRole } from '../registration/own-records.ts'
import { bounds } from './bounds.ts'
import { checkSparkSettings, sparkSettings } from './spark.ts'

const roleChoices = ['fit,serve', 'serve,fit', 'fit', 'serve'] as const

/** What a node is told on the command line or in the environment. */
export const nodeSettings = {
  host: text({
    flag: 'host',
    env: 'ALMANAC_HOST',
    shape: 'ADDRESS',
    fallback: '127.0.0.1',
    help: 'The address to listen on; 0.0.0.0 for all.',
  }),
  port: integer({
    flag: 'port',
    env: 'ALMANAC_PORT',
    fallback: 5001,
    minimum: 0,
    maximum: 65_535,
    help: 'The port to listen on; 0 lets the system choose.',
  }),
  advertise: optionalText({
    flag: 'advertise',
    env: 'ALMANAC_ADVERTISE',
    shape: 'IP',
    help: 'The IP address at which brokers reach this node; found out when not given.',
  }),
  roles: choice({
    flag: 'roles',
    env: 'ALMANAC_ROLES',
    choices: roleChoices,
    fallback: 'fit,serve',
    help: 'What this node does.',
  }),
  fitWorkers: integer({
    flag: 'fit-workers',
    env: 'ALMANAC_FIT_WORKERS',
    fallback: 1,
    minimum: 1,
    maximum: 64,
    help: 'Fits at once; each takes a core.',
  }),
  fitMemoryMb: integer({
    flag: 'fit-memory-mb',
    env: 'ALMANAC_FIT_MEMORY_MB',
    fallback: bounds.fitMemoryMb,
    minimum: 64,
    maximum: 65_536,
    help: 'The heap of one fit; beyond it the fit ends, not the node.',
  }),
  shardMemoryMb: integer({
    flag: 'shard-memory-mb',
    env: 'ALMANAC_SHARD_MEMORY_MB',
    fallback: bounds.shardMemoryMb,
    minimum: 1,
    maximum: 65_536,
    help: 'Memory for models of versions with many series; others are read when asked for.',
  }),
  tableMemoryMb: integer({
    flag: 'table-memory-mb',
    env: 'ALMANAC_TABLE_MEMORY_MB',
    fallback: bounds.tableMemoryMb,
    minimum: 256,
    maximum: 65_536,
    help: 'The memory of the process that reads a table; what is more goes to the disk.',
  }),
  scratch: text({
    flag: 'scratch',
    env: 'ALMANAC_SCRATCH',
    shape: 'DIR',
    fallback: join(tmpdir(), `almanac-${process.getuid?.() ?? 'user'}`),
    help: 'Where tables are put while they are read: a folder of this user, on a disk with room.',
  }),
  ...backendSettings,
  ...filesSettings,
  ...sparkSettings,
  ...processSettings,
} as const

export type NodeSettings = Settings<typeof nodeSettings>

/** What is wrong with settings that are each fine. */
export function checkNodeSettings(settings: NodeSettings): readonly string[] {
  const faults = [
    ...checkClusterSettings(settings),
    ...checkFilesSettings(settings),
    ...checkSparkSettings(settings),
  ]
  if (settings.advertise !== null && isIP(settings.advertise) === 0)
    faults.push(`--advertise: "${settings.advertise}" is not an IP address`)
  return faults
}

export function rolesOf(settings: NodeSettings): readonly NodeRole[] {
  const roles: readonly NodeRole[] = ['fit', 'serve']
  return roles.filter((role) => settings.roles.split(',').includes(role))
}
