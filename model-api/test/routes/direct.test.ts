import { headers } from '@almanac/shared'
import { expect, test } from 'vitest'
import type { RunningNode } from '../../src/index.ts'
import type { DirectReply } from '../../src/server/direct.ts'
import {
  fitAndServe,
  internalHeaders,
  openMachine,
  openNode,
  queueFit,
  untilJob,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

const forecast = (rest: string) => `/internal/v1/forecast/default/default/${rest}`
const scripted = new URL('../support/scripted-worker.ts', import.meta.url)

test('a broker in the same process is told what it would be told over the wire', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const right = await internalHeaders(machine, node)
  await untilLoaded(machine, node, await fitAndServe(machine, node, { model: 'other' }))
  const without = (name: string) =>
    Object.fromEntries(Object.entries(right).filter(([known]) => known !== name))
  const json = { ...right, 'content-type': 'application/json' }
  const asked: readonly [string, Record<string, string>, string?][] = [
    ['/internal/v1/forecast/default/other/1/5', right],
    ['/internal/v1/forecast/default/other/1/5?level=80,95', right],
    ['/internal/v1/forecast/default/other/1/5?level=80&level=95', right],
    ['/internal/v1/forecast/default/other/1/5?level=101', right],
    ['/internal/v1/forecast/default/other/1/5?timestamps=true', right],
    ['/internal/v1/forecast/default/other/1/5?stranger=1', right],
    ['/internal/v1/forecast/default/other/1/10000?level=10,20,30,40,50,60,70,80', right],
    ['/internal/v1/forecast/default/oth%65r/1/5', right],
    ['/internal/v1/forecast/default/UPPER/1/5', right],
    [forecast('1/5'), right],
    [forecast('1/5?load=true'), right],
    [forecast('0/5'), right],
    [forecast('1/0'), right],
    [forecast('1/%'), right],
    [forecast('1'), right],
    [forecast('1/5'), without(headers.cluster)],
    [forecast('1/5'), { ...right, [headers.instance]: 'another' }],
    [forecast('1/5'), { ...right, [headers.cluster]: 'another' }],
    [forecast('1/5'), { ...right, origin: 'http://127.0.0.1' }],
    ['/internal/v1/fits', json, '{}'],
    ['/internal/v1/fits', json, 'not JSON'],
    ['/internal/v1/fits', json, '{"job":"a/b"}'],
    ['/internal/v1/fits', without(headers.instance), '{"job":"a"}'],
    ['/nowhere', right],
  ]
  for (const each of asked) await expectSame(node, ...each)
})

test('nobody gets past the token', async () => {
  const machine = await openMachine()
  const token = 'a-token-of-enough-length'
  const node = await openNode(machine, { token })
  await untilReady(node)
  const right = await internalHeaders(machine, node)
  await expectSame(node, forecast('1/5'), right)
  await expectSame(node, forecast('1/5'), { ...right, authorization: 'Bearer another' })
  await expectSame(node, forecast('1/5'), { ...right, authorization: `Bearer ${token}` })
  await expectSame(node, '/internal/v1/fits', right, '{"job":"a"}')
})

test('it hands on fits', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  await untilReady(node)
  const of = await queueFit(machine)
  const given = { ...(await internalHeaders(machine, node)), 'content-type': 'application/json' }
  const said = await node.direct({
    method: 'POST',
    path: '/internal/v1/fits',
    headers: Object.entries(given).flat(),
    body: JSON.stringify({ job: of.job }),
  })
  expect(said?.status).toBe(202)
  expect((await untilJob(machine, of, 'done')).error).toBeNull()
})

test('a node that has closed is not there', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  await node.close()
  expect(node.direct({ method: 'GET', path: forecast('1/5'), headers: [] })).toBeUndefined()
})

test('forecasts are counted and timed whichever way they came', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  const given = Object.entries(await internalHeaders(machine, node)).flat()
  const count = async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text()
    return Number(/_http_request_seconds_count\{[^}]*:horizon[^}]*200[^}]*\} (\d+)/.exec(text)?.[1])
  }
  const before = await count()
  await node.direct({ method: 'GET', path: forecast('1/5?level=80'), headers: given })
  expect(await count()).toBe(before + 1)
})

async function expectSame(
  node: RunningNode,
  path: string,
  given: Readonly<Record<string, string>>,
  body?: string,
): Promise<void> {
  const named = { ...given, [headers.requestId]: 'the-request' }
  const method = body === undefined ? 'GET' : 'POST'
  const more = body === undefined ? {} : { body }
  const wired = await fetch(node.url + path, { method, headers: named, ...more })
  const said = node.direct({ method, path, headers: Object.entries(named).flat(), ...more })
  expect(seen(await said), `${method} ${path}`).toEqual({
    status: wired.status,
    type: wired.headers.get('content-type'),
    version: wired.headers.get(headers.modelVersion),
    text: await wired.text(),
  })
}

function seen(reply: DirectReply | undefined) {
  return {
    status: reply?.status,
    type: reply?.headers['content-type'],
    version: reply?.headers[headers.modelVersion] ?? null,
    text: reply?.body.toString('utf8'),
  }
}
