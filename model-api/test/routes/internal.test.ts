import { headers, modelKey, NotLoaded, Problem } from '@almanac/shared'
import { Check } from 'typebox/value'
import { expect, test } from 'vitest'
import {
  fitAndServe,
  forecast,
  internalHeaders,
  openMachine,
  openNode,
  order,
  putModel,
  queueFit,
  soon,
  until,
  untilLoaded,
  untilReady,
} from '../support/machine.ts'

const scripted = new URL('../support/scripted-worker.ts', import.meta.url)
const path = '/internal/v1/forecast/default/default/1/5'

test('a version that is not loaded is refused with the node’s own view of the model', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['serve'] })
  const of = { tenant: 'default', model: 'default' }
  await putModel(machine, of, { serving: null, target: null })
  await untilReady(node)
  const entry = await machine.coordinator.get(modelKey(of), soon())

  const answer = await forecast(machine, node, of, 7)
  const body = await answer.json()

  expect(answer.status).toBe(409)
  expect(Check(NotLoaded, body)).toBe(true)
  expect(body).toEqual({
    type: 'not-loaded',
    ...of,
    version: 7,
    record: entry?.value,
    modRevision: entry?.modRevision,
  })
})

test('of a model that the node never saw it says so', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['serve'] })
  await untilReady(node)
  const answer = await forecast(machine, node, { tenant: 'default', model: 'other' }, 1)
  expect(await answer.json()).toMatchObject({ type: 'not-loaded', record: null, modRevision: 0 })
})

test.each([
  ['another instance', { [headers.instance]: 'another' }],
  ['another cluster', { [headers.cluster]: 'another' }],
  ['nobody’s instance', { [headers.instance]: '' }],
])('a request for %s is answered 421', async (_, wrong) => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['serve'] })
  await untilReady(node)
  const right = await internalHeaders(machine, node)

  const answer = await fetch(`${node.url}${path}`, { headers: { ...right, ...wrong } })

  expect(answer.status).toBe(421)
  const body = await answer.json()
  expect(Check(Problem, body)).toBe(true)
  expect(body).toMatchObject({
    type: 'urn:almanac:problem:misdirected',
    field: Object.keys(wrong)[0],
  })
})

test('a node with a token answers nobody who does not know it', async () => {
  const machine = await openMachine()
  const token = 'a-token-of-enough-length'
  const node = await openNode(machine, { roles: ['fit', 'serve'], token })
  await untilReady(node)
  const right = await internalHeaders(machine, node)
  const ask = async (authorization: string | undefined, route = path) => {
    const given = authorization === undefined ? {} : { authorization }
    return (await fetch(`${node.url}${route}`, { headers: { ...right, ...given } })).status
  }

  expect(await ask(undefined)).toBe(401)
  expect(await ask(`Bearer ${token}x`)).toBe(401)
  expect(await ask(token)).toBe(401)
  expect(await ask(undefined, '/internal/v1/state')).toBe(401)
  expect(await ask(`Bearer ${token}`)).toBe(409)
  expect((await order(machine, node, 'some-job')).status).toBe(401)
  expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
})

test('a web page is refused', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['serve'] })
  await untilReady(node)
  const given = { ...(await internalHeaders(machine, node)), origin: 'http://127.0.0.1:5000' }
  expect((await fetch(`${node.url}${path}`, { headers: given })).status).toBe(403)
})

test('a node takes as many fits as its queue holds, then says when to come again', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { fitWorkerFile: scripted })
  await untilReady(node)
  const jobs: string[] = []
  for (let version = 1; version <= 6; version++) {
    const of = await queueFit(machine, { version, spec: { act: 'until-stopped' } })
    jobs.push(of.job)
  }

  const answers = []
  for (const job of jobs) answers.push(await order(machine, node, job))

  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429])
  expect(answers[5]?.headers.get('retry-after')).toBe('1')
  expect((await order(machine, node, jobs[0]!)).status).toBe(202)
})

test('a node without the role fit takes no orders', async () => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['serve'] })
  await untilReady(node)
  expect((await order(machine, node, 'job')).status).toBe(409)
})

test.each([
  ['without a job', '{}', 400],
  ['with an empty job', '{"job":""}', 400],
  ['with a path for a job', '{"job":"a/b"}', 400],
  ['with a number for a job', '{"job":7}', 400],
  ['that is not JSON', 'not JSON', 400],
  ['that is too large', `{"job":"${'a'.repeat(5_000)}"}`, 413],
])('an order %s is refused', async (_, body, status) => {
  const machine = await openMachine()
  const node = await openNode(machine)
  await untilReady(node)
  const given = { ...(await internalHeaders(machine, node)), 'content-type': 'application/json' }
  const options = { method: 'POST', headers: given, body }
  expect((await fetch(`${node.url}/internal/v1/fits`, options)).status).toBe(status)
})

test.each([
  ['default/default/0/5', 'version'],
  ['default/default/1.5/5', 'version'],
  ['default/default/1/0', 'horizon'],
  ['default/default/1/5?level=101', 'level'],
  ['default/UPPER/1/5', 'model'],
])('the forecast %s is refused and names the fault', async (rest, field) => {
  const machine = await openMachine()
  const node = await openNode(machine, { roles: ['serve'] })
  await untilReady(node)
  const given = await internalHeaders(machine, node)
  const answer = await fetch(`${node.url}/internal/v1/forecast/${rest}`, { headers: given })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ field })
})

test('times are told for data with a calendar, and refused for data without', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const series = { start: '2024-01-01', frequency: 'daily' }
  const dated = await fitAndServe(machine, node, { model: 'dated', series })
  const plain = await fitAndServe(machine, node, { model: 'plain' })
  await untilLoaded(machine, node, dated)
  await untilLoaded(machine, node, plain)

  const answer = await forecast(machine, node, dated, 1, '1?timestamps=true')
  expect(((await answer.json()) as { timestamps: string[] }).timestamps).toEqual([
    '2024-03-01T00:00:00.000Z',
  ])
  expect((await forecast(machine, node, plain, 1, '1?timestamps=true')).status).toBe(422)
})

test('operators see what is wanted and what came of it', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  await until(async () => {
    const answer = await fetch(`${node.url}/internal/v1/state`)
    const body = (await answer.json()) as { settled: boolean }
    return body.settled
  })
  const body = await (await fetch(`${node.url}/internal/v1/state`)).json()
  expect(body).toMatchObject({
    instance: node.instance,
    models: [
      {
        model: 'default/default',
        serving: 1,
        wanted: [1],
        versions: [{ version: 1, state: 'loaded' }],
      },
    ],
  })
})

test('the metrics tell of fits, loads, forecasts and both backends', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const of = await fitAndServe(machine, node)
  await untilLoaded(machine, node, of)
  const text = await (await fetch(`${node.url}/metrics`)).text()
  for (const line of [
    /^almanac_fits_total\{.*outcome="stored".*\} 1$/m,
    /^almanac_model_loads_total\{.*outcome="loaded".*\} 1$/m,
    /^almanac_forecasts_total\{.*from="model".*\} 1$/m,
    /^almanac_serving_version\{.*model="default\/default".*\} 1$/m,
    /^almanac_loaded_versions\{.*kind="placed".*\} 1$/m,
    /^almanac_coordinator_call_seconds_count\{.*call="transact",outcome="done".*\} \d+$/m,
    /^almanac_store_call_seconds_count\{.*call="write-blob",outcome="done".*\} 1$/m,
    /^nodejs_eventloop_lag_seconds/m,
  ])
    expect(text).toMatch(line)
})
