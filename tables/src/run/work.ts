import type { Fault } from '../fault.ts'
import { limits } from '../limits.ts'
import { cleanSeries } from '../series/clean.ts'
import { startOfPeriod } from '../series/periods.ts'
import { seriesQueryOf } from '../sql/series.ts'
import { makeCleanFile } from './clean-file.ts'
import type { Engine } from './engine.ts'
import { type Load, type Loaded, Refused } from './load.ts'
import type { ShardMessage, TableJob, TableProgress, TableSummary } from './protocol.ts'
import { makeRejects, type Rejects } from './rejects.ts'
import { writeChanged, writeLeftOut } from './row-rejects.ts'
import { seriesOf } from './series-stream.ts'
import { makeShardWriter, shardSizes } from './shards.ts'

export type Told = {
  readonly progress: (progress: TableProgress) => void
  readonly shard: (shard: ShardMessage) => Promise<void>
}

/** From a file to shards. Throws `Refused` and `DamagedFile`, and whatever the engine throws. */
export async function workOn(
  job: TableJob,
  db: Engine,
  load: Load,
  told: Told,
): Promise<TableSummary> {
  const rejects = makeRejects(job.rejectsFile)
  try {
    const atStart = { bytesRead: 0, bytesAll: 0, rows: 0, series: 0, seriesAll: 0 }
    const loaded = await load(job, rejects, (bytesRead, bytesAll, rows) =>
      told.progress({ ...atStart, phase: 'read', bytesRead, bytesAll, rows }),
    )
    const { rows } = loaded
    told.progress({ ...atStart, phase: 'group', rows })
    await writeLeftOut(db, loaded.plan, rejects)
    const grouped = await groupRows(db, job, rejects)
    const made = await makeSeries(db, job, grouped, rejects, {
      shard: told.shard,
      progress: (series) =>
        told.progress({ ...atStart, phase: 'series', rows, series, seriesAll: grouped.series }),
    })
    return summaryOf(loaded, job, grouped, made, rejects)
  } finally {
    rejects.close()
  }
}

type Grouped = {
  readonly series: number
  readonly observations: number
  readonly first: number
  readonly last: number
}

async function groupRows(db: Engine, { recipe }: TableJob, rejects: Rejects): Promise<Grouped> {
  const query = seriesQueryOf(recipe)
  if (query.doubled !== null) await db.keep('doubled', query.doubled)
  for (const change of query.changes) await writeChanged(db, change, recipe, rejects)
  await db.keep('series', query.series, 'id')
  await db.keep('observations', query.observations, 'id, period')
  await db.drop('accepted')
  const [[series] = []] = await db.rows('SELECT COUNT(*) FROM series')
  const about = 'SELECT MIN(period), MAX(period), COUNT(*) FROM observations'
  const [numbers = []] = await db.rows(about)
  const [first = 0, last = 0, observations = 0] = numbers.map(Number)
  if (Number(series) > 0) return { series: Number(series), observations, first, last }
  const [most] = rejects.counts().toSorted((a, b) => b.count - a.count)
  throw new Refused({
    field: '',
    detail: 'No row of the file could be used.',
    remedy: most
      ? `Most were left out because of ${JSON.stringify(most.column)}: ${most.reason}.`
      : 'Check that it is the right file.',
  })
}

type Made = {
  series: number
  shards: number
  observations: number
  missing: number
  absent: number
  filled: number
}

async function makeSeries(
  db: Engine,
  { recipe, folder, shardSeries, cleanFile, cleanFor = 'people' }: TableJob,
  grouped: Grouped,
  rejects: Rejects,
  told: { readonly shard: Told['shard']; readonly progress: (series: number) => void },
): Promise<Made> {
  const { frequency, target: column, time } = recipe
  const made = { series: 0, shards: 0, observations: 0, missing: 0, absent: 0, filled: 0 }
  const sizes = shardSizes(grouped.series, grouped.observations, shardSeries)
  const shards = makeShardWriter(
    { folder, frequency, zone: time.zone, ...sizes },
    async (shard) => {
      await told.shard(shard)
      told.progress(made.series)
    },
  )
  const rows = makeCleanFile(cleanFile, recipe, cleanFor)
  for await (const raw of seriesOf(db, recipe.features.length)) {
    const { key } = raw
    const clean = cleanSeries(raw, recipe, grouped.last)
    if (clean === undefined) {
      rejects.write({ step: ofSeries, outcome: 'rejected', reason: tooLong, key })
      continue
    }
    const { firstPeriod, y, changes } = clean
    for (const { step, reason, isFlag, period, before, after } of changes) {
      const time = startOfPeriod(frequency, period)
      const outcome = isFlag ? 'flagged' : 'changed'
      rejects.write({ step, column, outcome, reason, key, time, before, after })
    }
    rows.write(raw, clean)
    made.series += 1
    made.observations += y.length
    for (const value of y) if (Number.isNaN(value)) made.missing += 1
    made.absent += clean.absent
    made.filled += clean.filled
    await shards.add(key, firstPeriod, y)
  }
  rows.close()
  if (made.series === 0) throw new Refused(noSeries)
  made.shards = await shards.close()
  return made
}

/** Of a whole series, in place of a step of rows. */
const ofSeries = 'series'
const tooLong = `it has more than ${limits.periodsMax} periods`

const noSeries: Fault = {
  field: '/frequency',
  detail: `Each series has more than ${limits.periodsMax} periods.`,
  remedy: 'Choose a longer one, or leave out rows with a wrong time.',
}

function summaryOf(
  { columns, rows }: Loaded,
  { recipe }: TableJob,
  { first, last }: Grouped,
  made: Made,
  rejects: Rejects,
): TableSummary {
  const reasons = rejects.counts()
  const ofRows = (outcome: 'rejected' | 'dropped') =>
    reasons.reduce(
      (sum, one) => sum + (one.outcome === outcome && one.step !== ofSeries ? one.count : 0),
      0,
    )
  return {
    columns,
    rows,
    rejected: ofRows('rejected'),
    dropped: ofRows('dropped'),
    reasons,
    ...made,
    first: startOfPeriod(recipe.frequency, first),
    last: startOfPeriod(recipe.frequency, last),
  }
}
