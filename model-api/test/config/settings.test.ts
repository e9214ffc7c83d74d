import { readSettings } from '@almanac/shared'
import { expect, test } from 'vitest'
import { advertisedIp } from '../../src/config/advertised-ip.ts'
import { checkNodeSettings, nodeSettings, rolesOf } from '../../src/config/settings.ts'

const backends = ['--etcd', 'a:2379', '--cql', 'b:9042']

test('the defaults and the two backends are enough on loopback', () => {
  expect(faultsOf(backends)).toEqual([])
  expect(rolesOf(read(backends))).toEqual(['fit', 'serve'])
  expect(read(backends)).toMatchObject({ host: '127.0.0.1', port: 5001, fitWorkers: 1 })
})

test('missing backends are all named at once', () => {
  const faults = faultsOf([]).join('\n')
  expect(faults).toContain('--etcd')
  expect(faults).toContain('--cql')
})

test('off loopback a token is needed', () => {
  const open = [...backends, '--host', '0.0.0.0']
  expect(faultsOf(open).join('\n')).toContain('ALMANAC_TOKEN')
  expect(faultsOf(open, { ALMANAC_TOKEN: 'long-enough-a-secret' })).toEqual([])
})

test('an advertised name that is no address is refused', () => {
  expect(faultsOf([...backends, '--advertise', 'node.example']).join()).toContain('--advertise')
  expect(faultsOf([...backends, '--advertise', '10.0.0.7'])).toEqual([])
})

test.each([
  [['--roles', 'fit'], ['fit']],
  [['--roles', 'serve'], ['serve']],
  [
    ['--roles', 'serve,fit'],
    ['fit', 'serve'],
  ],
])('the roles of %j are %j', (argv, roles) => {
  expect(rolesOf(read([...backends, ...argv]))).toEqual(roles)
})

const interfaces = {
  lo: [address('127.0.0.1', true)],
  eth0: [address('fe80::1', false, 'IPv6'), address('10.1.2.3', false)],
}

test.each([
  ['192.168.1.5', '192.168.1.5'],
  ['localhost', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '10.1.2.3'],
  ['::', '10.1.2.3'],
  ['some-name', '10.1.2.3'],
])('a node that listens on %s is reached at %s', (host, expected) => {
  expect(advertisedIp(host, interfaces)).toBe(expected)
})

test('a machine without a network has no address for others', () => {
  expect(advertisedIp('0.0.0.0', { lo: interfaces.lo })).toBeUndefined()
})

function read(argv: readonly string[], env: Record<string, string> = {}) {
  const outcome = readSettings(nodeSettings, argv, env)
  if (outcome.kind !== 'settings') throw new Error(JSON.stringify(outcome))
  return outcome.settings
}

function faultsOf(argv: readonly string[], env: Record<string, string> = {}) {
  return checkNodeSettings(read(argv, env))
}

function address(ip: string, internal: boolean, family: 'IPv4' | 'IPv6' = 'IPv4') {
  const common = { address: ip, internal, netmask: '', mac: '', cidr: null }
  return family === 'IPv4' ? { ...common, family } : { ...common, family, scopeid: 0 }
}

test('Spark is named by an address, and has a place that it shares', () => {
  const spark = [...backends, '--spark', 'sc://spark.internal', '--spark-stage', '/mnt/stage']
  expect(faultsOf(spark)).toEqual([])
  expect(read(spark)).toMatchObject({
    spark: { address: 'spark.internal:15002', tls: false },
    sparkStage: { kind: 'folder', path: '/mnt/stage' },
    sparkOverMb: 2_048,
  })
  const v6 = [...spark, '--spark', 'sc://[::1]:15502/']
  expect(read(v6)).toMatchObject({ spark: { address: '[::1]:15502' } })
  expect(faultsOf([...backends, '--spark', 'sc://a:1']).join()).toContain('--spark-stage')
  expect(faultsOf([...backends, '--spark-stage', '/mnt/stage']).join()).toContain('--spark')
  for (const address of ['a:1', 'http://a:1', 'sc://a:1/;use_ssl=1', 'sc://user@a:1'])
    expect(() => read([...spark, '--spark', address])).toThrow('is not like sc://10.0.0.7:15002')
})

test('a token of Spark is a variable, is not repeated, and goes over TLS or stays on the machine', () => {
  const token = { ALMANAC_SPARK_TOKEN: 'of-nobody-at-all-1' }
  const on = (address: string) => [...backends, '--spark', address, '--spark-stage', '/mnt/stage']
  const secure = on('sc://spark.internal:443/;use_ssl=true')
  expect(faultsOf(secure, token)).toEqual([])
  expect(read(secure, token)).toMatchObject({
    spark: { address: 'spark.internal:443', tls: true },
    sparkToken: token.ALMANAC_SPARK_TOKEN,
  })
  for (const near of ['sc://127.0.0.1:15002', 'sc://[::1]'])
    expect(faultsOf(on(near), token)).toEqual([])
  expect(faultsOf(on('sc://spark.internal'), token).join()).toContain('/;use_ssl=true')
  expect(faultsOf(backends, token).join()).toContain('goes with --spark')
  const inFlag = on(`sc://a:1/;use_ssl=true;token=${token.ALMANAC_SPARK_TOKEN}`)
  expect(() => read(inFlag)).toThrow(/^(?!.*of-nobody).*give it as ALMANAC_SPARK_TOKEN/s)
  expect(() => read([...secure, '--spark-token', 'x'])).toThrow('no such option')
})
