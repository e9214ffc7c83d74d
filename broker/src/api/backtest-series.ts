import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { compareKeys } from '@almanac/engine'
import {
  BacktestEntry,
  type BacktestResult,
  codec,
  Damaged,
  decodeBacktestResult,
  decodeBacktestShard,
  limits,
  Missing,
  Refused,
  shardOf,
} from '@almanac/shared'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type Backtest, findBacktest } from './backtest-routes.ts'
import {
  BacktestLines,
  BacktestParams,
  BacktestRows,
  BacktestSeriesPage,
} from './backtest-schemas.ts'
import { qualityOf } from './many-question.ts'
import { readPage } from './pages.ts'
import type { ApiParts } from './parts.ts'
import { createPlaces } from './places.ts'
import { fault, readKey, readModelName, refuseStrangers } from './question.ts'
import { problems, SeriesQuery } from './schemas.ts'

type Route = { Params: { model: string; job: string }; Querystring: Record<string, unknown> }
type Format = 'json' | 'ndjson' | 'csv'

const entries = codec(BacktestEntry)

/** `GET …/backtests/:job/series`: what it came to for each of them, by page, or all as a stream. */
export function addBacktestSeriesRoute(server: FastifyInstance, parts: ApiParts): void {
  const places = createPlaces('downloads', parts.bounds.backtestReadsMax)
  const bodies = {
    'application/json': BacktestSeriesPage,
    'application/x-ndjson': BacktestLines,
    'text/csv': BacktestRows,
  }
  const content = Object.fromEntries(
    Object.entries(bodies).map(([type, schema]) => [type, { schema }]),
  )
  server.get<Route>(
    '/models/:model/backtests/:job/series',
    {
      exposeHeadRoute: false,
      // The schemas describe; the checks are in `readQuery`.
      validatorCompiler: () => () => true,
      schema: {
        summary: 'The series of a backtest, in the order of their keys',
        params: BacktestParams,
        querystring: SeriesQuery,
        response: { 200: { content }, ...problems(400, 404, 409, 410, 422, 500) },
      },
    },
    async (request, reply) => {
      const { model, job: id } = request.params
      const format = readFormat(request.headers.accept)
      const query = readQuery(request.query, format)
      const job = await findBacktest(parts, readModelName(model), id)
      places.takeUntilAnswered(reply)
      const index = await readResult(parts, job)
      const found = linesOf(parts, index, query)
      reply.header('x-model-version', String(job.subject.version))
      if (format === 'json') return await reply.send(await pageOf(found, query.limit))
      return await sendStream(reply, found, format, job.backtest.settings.levels)
    },
  )
}

type Query = {
  readonly limit: number
  /** Only those after this key. */
  readonly cursor: string | null
  readonly code: string | null
}

function readQuery(query: Readonly<Record<string, unknown>>, format: Format): Query {
  refuseStrangers(query, format === 'json' ? ['cursor', 'limit', 'code'] : ['cursor', 'code'])
  const { cursor, limit = String(limits.pageItemsMax), code } = query
  if (typeof limit !== 'string' || !/^[1-9]\d{0,2}$/.test(limit))
    throw fault('limit', `a whole number from 1 to ${limits.pageItemsMax}`)
  if (code !== undefined && (typeof code !== 'string' || !/^[a-z0-9-]{1,100}$/.test(code)))
    throw fault('code', 'a result, like ok or too-short')
  return {
    limit: readPage({ limit }).limit,
    cursor: cursor === undefined ? null : readKey('cursor', cursor),
    code: code ?? null,
  }
}

/** What the client would rather have; where it is all the same, a page. */
function readFormat(accept: string | undefined): Format {
  const types = { json: ['application', 'json'], ndjson: ['application', 'x-ndjson'] } as const
  const all = { ...types, csv: ['text', 'csv'] } as const
  const rated = Object.entries(all).map(
    ([format, [type, subtype]]) => [qualityOf(accept, type, subtype), format as Format] as const,
  )
  const best = Math.max(...rated.map(([quality]) => quality))
  const found = rated.find(([quality]) => quality === best && quality > 0)
  if (found) return found[1]
  const detail = 'There are application/json, application/x-ndjson and text/csv.'
  throw new Refused(406, 'not-acceptable', detail, { field: 'accept' })
}

async function readResult(parts: ApiParts, { id, state, error, backtest }: Backtest) {
  if (state === 'failed') {
    const detail = `The backtest ${id} failed (${error?.reason ?? 'unknown'}): it has no results.`
    throw new Refused(409, 'backtest-failed', detail)
  }
  const { result } = backtest
  if (result === null)
    throw new Refused(409, 'not-ready', `The backtest ${id} is not done yet.`, {
      retryAfterSeconds: 1,
    })
  const index = decodeBacktestResult(await read(parts, result))
  if (index.ok) return index.value
  throw unreadable(index.fault)
}

async function read(
  { store, bounds }: ApiParts,
  { blob, sha256 }: { readonly blob: string; readonly sha256: string },
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(bounds.storeCallMs * 2)
  const bytes = await store.readBlob({ kind: 'dataset', id: blob }, signal).catch((error) => {
    if (error instanceof Missing)
      throw new Refused(410, 'collected', 'The results by series are not kept any more.', {
        remedy: 'Ask for the backtest again; its scores over all series are kept with its job.',
      })
    if (error instanceof Damaged) throw unreadable(error.message)
    throw error
  })
  if (hash('sha256', bytes, 'hex') === sha256) return bytes
  throw unreadable('it has another checksum than it should')
}

const unreadable = (why: string) =>
  new Refused(500, 'unreadable', `What is stored of this backtest cannot be read: ${why}`)

/** The lines that are asked for, each as text and as what it says; a shard in memory at a time. */
async function* linesOf(
  parts: ApiParts,
  index: BacktestResult,
  { cursor, code }: Query,
): AsyncGenerator<{ readonly line: string; readonly entry: BacktestEntry }> {
  const { shards } = index
  // Only first keys are looked at.
  const from = cursor === null ? 0 : shardOf({ format: 1, kind: 'data', shards }, cursor)
  for (const shard of shards.slice(from)) {
    if (code !== null && (shard.codes[code] ?? 0) === 0) continue
    const result = decodeBacktestShard(await read(parts, shard))
    if (!result.ok) throw unreadable(result.fault)
    for (const line of result.value.lines) {
      const decoded = entries.decode(line)
      if (!decoded.ok) throw unreadable(decoded.fault)
      const entry = decoded.value
      if (cursor !== null && compareKeys(entry.key ?? '', cursor) <= 0) continue
      if (code === null || entry.code === code) yield { line, entry }
    }
  }
}

async function pageOf(found: ReturnType<typeof linesOf>, limit: number) {
  const series: BacktestEntry[] = []
  for await (const { entry } of found) {
    if (series.length === limit) return { series, next: series.at(-1)!.key }
    series.push(entry)
  }
  return { series, next: null }
}

/** The first line is there before the answer begins: what goes wrong until then is a problem. */
async function sendStream(
  reply: FastifyReply,
  found: ReturnType<typeof linesOf>,
  format: 'ndjson' | 'csv',
  levels: readonly number[],
) {
  const first = await found.next()
  const shown = (one: { readonly line: string; readonly entry: BacktestEntry }) =>
    format === 'ndjson' ? `${one.line}\n` : rowOf(one.entry)
  async function* texts() {
    let text = format === 'csv' ? headOf(levels) : ''
    if (!first.done) text += shown(first.value)
    for await (const one of found) {
      text += shown(one)
      if (text.length < partCharacters) continue
      yield text
      text = ''
    }
    if (text !== '') yield text
  }
  const type = format === 'ndjson' ? 'application/x-ndjson' : 'text/csv; charset=utf-8'
  return await reply.type(type).send(Readable.from(texts()))
}

/** So much is written at once. */
const partCharacters = 65_536

const figures = [
  ...(['windows', 'count', 'missing', 'season', 'scale'] as const),
  ...(['mase', 'smape', 'rmse', 'mae', 'bias', 'pinball', 'scaledPinball'] as const),
] as const

function headOf(levels: readonly number[]): string {
  const names = ['key', 'code', 'detail', ...figures, ...levels.map((level) => `coverage_${level}`)]
  return `${names.join(',')}\n`
}

function rowOf(entry: BacktestEntry): string {
  const words = [entry.key ?? '', entry.code, entry.detail].map(csvCell)
  const numbers = [
    ...figures.map((name) => entry[name]),
    ...entry.coverage.map((of) => of.coverage),
  ]
  return `${[...words, ...numbers.map((value) => value ?? '')].join(',')}\n`
}

/** Spreadsheets take what begins like a formula for one: an apostrophe says that it is text. */
function csvCell(text: string): string {
  const shown = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown
}
