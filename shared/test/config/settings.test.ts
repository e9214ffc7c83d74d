import { describe, expect, test } from 'vitest'
import {
  addresses,
  backendSettings,
  checkClusterSettings,
  checkFilesSettings,
  choice,
  type FilesPlace,
  filesSettings,
  helpText,
  hostNames,
  integer,
  processSettings,
  readSettings,
  secret,
  text,
} from '../../src/index.ts'

const table = {
  port: integer({
    flag: 'port',
    env: 'T_PORT',
    fallback: 5000,
    minimum: 1,
    maximum: 65_535,
    help: 'The port.',
  }),
  data: text({ flag: 'data', env: 'T_DATA', shape: 'DIR', fallback: './data', help: 'The data.' }),
  level: choice({ flag: 'level', env: 'T_LEVEL', choices: ['a', 'b'], fallback: 'a', help: 'L.' }),
  etcd: addresses({ flag: 'etcd', env: 'T_ETCD', help: 'The endpoints.' }),
  names: hostNames({ flag: 'names', env: 'T_NAMES', help: 'The names.' }),
  token: secret({ flag: 'token', env: 'T_TOKEN', help: 'The token.' }),
} as const

const read = (argv: string[], env: Record<string, string> = {}) => readSettings(table, argv, env)
const faults = (argv: string[], env: Record<string, string> = {}) => {
  const outcome = read(argv, env)
  return outcome.kind === 'faults' ? outcome.faults : []
}

describe('settings', () => {
  test('come from flags, then from the environment, then from defaults', () => {
    const outcome = read(['--port', '1'], { T_PORT: '2', T_DATA: '/d', T_LEVEL: '' })
    expect(outcome).toEqual({
      kind: 'settings',
      settings: { port: 1, data: '/d', level: 'a', etcd: null, names: null, token: null },
    })
  })

  test('are frozen', () => {
    const outcome = read([])
    expect(outcome.kind === 'settings' && Object.isFrozen(outcome.settings)).toBe(true)
  })

  test('every fault is told at once, with the flag or variable that it came from', () => {
    const all = faults(['--port', 'x', '--leve', 'a'], { T_LEVEL: 'c', T_ETCD: 'nowhere' })
    expect(all).toHaveLength(5)
    expect(all.join('\n')).toContain('--port: "x" is not a whole number from 1 to 65535')
    expect(all.join('\n')).toContain('--leve: there is no such option; there are --port')
    expect(all.join('\n')).toContain('T_LEVEL: "c" is not one of a, b')
    expect(all.join('\n')).toContain('T_ETCD: "nowhere" is not HOST:PORT')
  })

  test.each([['0'], ['65536'], ['-1'], ['1.5'], ['1e3'], [' 1'], ['0x10']])(
    '%s is not a port',
    (value) => expect(faults([], { T_PORT: value })).toHaveLength(1),
  )

  test('a flag without its value is a fault', () => {
    expect(faults(['--data'])).toEqual(['--data: needs DIR'])
  })

  test('a secret is not taken from the command line, nor a short one at all', () => {
    expect(faults(['--token', 'a-very-long-secret'])).not.toEqual([])
    expect(faults([], { T_TOKEN: 'short' })[0]).not.toContain('short"')
    const outcome = read([], { T_TOKEN: 'a-very-long-secret' })
    expect(outcome).toMatchObject({ settings: { token: 'a-very-long-secret' } })
  })

  test('lists are taken apart', () => {
    const outcome = read(['--etcd', 'a:1, https://b:2', '--names', 'x.example,[::1]'])
    expect(outcome).toMatchObject({
      settings: { etcd: ['a:1', 'https://b:2'], names: ['x.example', '[::1]'] },
    })
    expect(faults(['--names', 'x.example:80'])).toHaveLength(1)
  })

  test('help names every flag, variable, default and sentence, and no flag for a secret', () => {
    expect(read(['--port', 'x', '--help']).kind).toBe('help')
    const help = helpText('usage', table)
    expect(help).toContain('--port N, T_PORT\n      The port. [5000]')
    expect(help).toContain('T_TOKEN')
    expect(help).not.toContain('--token')
  })
})

describe('the settings of a cluster', () => {
  const check = (argv: string[], env: Record<string, string> = {}) => {
    const host = text({ flag: 'host', env: 'T_HOST', shape: 'A', fallback: '127.0.0.1', help: '' })
    const outcome = readSettings({ host, ...backendSettings, ...processSettings }, argv, env)
    return outcome.kind === 'settings' ? checkClusterSettings(outcome.settings) : ['unread']
  }
  const backends = ['--etcd', '127.0.0.1:2379', '--cql', '127.0.0.1:9042']

  test('name both backends, and need nothing else on loopback', () => {
    expect(check([])).toHaveLength(2)
    expect(check(backends)).toEqual([])
  })

  test('need a token off loopback', () => {
    expect(check([...backends, '--host', '0.0.0.0']).join()).toContain('ALMANAC_TOKEN')
    const env = { ALMANAC_TOKEN: 'a-very-long-secret' }
    expect(check([...backends, '--host', '0.0.0.0'], env)).toEqual([])
  })

  test('name a database user with a password or neither', () => {
    expect(check([...backends, '--cql-user', 'me'])).toHaveLength(1)
  })
})

describe('where files are', () => {
  const of = (value: string) => filesSettings.files.parse(value)

  test.each([
    ['s3://bucket', '', 's3://bucket/'],
    ['s3://bucket/', '', 's3://bucket'],
    ['s3://bucket/a/b', 'a/b/', 's3://bucket/a/b//'],
  ])('%s begins names with %j, as %s does', (value, prefix, other) => {
    expect(of(value)).toEqual({ value: { kind: 's3', bucket: 'bucket', prefix } })
    expect(of(other)).toEqual(of(value))
  })

  test('anything else is a folder, unless it looks like an address', () => {
    expect(of('/var/files')).toEqual({ value: { kind: 'folder', path: '/var/files' } })
    for (const value of ['s3://', 's3://B', 's3://a/../b c', 'http://bucket/a'])
      expect(of(value)).toHaveProperty('fault')
  })

  test('an endpoint goes with a bucket, and is an address', () => {
    const folder = { kind: 'folder', path: '/f' } as const
    const bucket = { kind: 's3', bucket: 'b', prefix: '' } as const
    const check = (files: FilesPlace | null, filesEndpoint: string | null) =>
      checkFilesSettings({ files, filesEndpoint, fileMbMax: 1 })
    expect(check(bucket, 'http://10.0.0.5:9000')).toEqual([])
    expect(check(folder, null)).toEqual([])
    for (const files of [folder, null]) expect(check(files, 'http://h:1')).toHaveLength(1)
    expect(check(bucket, 'h:1')).toHaveLength(1)
  })
})
