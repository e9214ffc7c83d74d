import type { Metric, Registry } from 'prom-client'

export type Times = (labels: Readonly<Record<string, string>>) => (seconds: number) => void

/**
 * A histogram of times by labels, counted in plain numbers and spelled out only when it is read:
 * for what happens many thousand times in a second. An observer is kept by whoever uses it.
 */
export function createTimes(
  registry: Registry,
  about: { readonly name: string; readonly help: string; readonly buckets: readonly number[] },
): Times {
  const { name, help, buckets } = about
  const tallies: Tally[] = []
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: tallies.flatMap((tally) => valuesOf(name, buckets, tally)),
  })
  // Of a metric the registry asks for no more than this.
  registry.registerMetric({ name, help, get } as unknown as Metric)
  return (labels) => {
    const tally: Tally = { labels, counts: new Float64Array(buckets.length + 1), sum: 0 }
    tallies.push(tally)
    return (seconds) => {
      let at = 0
      while (at < buckets.length && seconds > buckets[at]!) at += 1
      tally.counts[at]! += 1
      tally.sum += seconds
    }
  }
}

type Tally = {
  readonly labels: Readonly<Record<string, string>>
  /** By bucket, the last for what is above them all. */
  readonly counts: Float64Array
  sum: number
}

function valuesOf(name: string, buckets: readonly number[], { labels, counts, sum }: Tally) {
  let count = 0
  const cumulative = [...buckets, '+Inf'].map((le, i) => {
    count += counts[i]!
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count }
  })
  return [
    ...cumulative,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
