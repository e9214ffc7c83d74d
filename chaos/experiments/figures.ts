import { type Entry, type Forecast, isForecast } from '../history/entry.ts'
import { type Excuse, isFailure, unanswered } from '../invariants/availability.ts'
import type { Weather } from '../invariants/disturbance.ts'

/** How many forecasts there were, how many failed, and how long they took. */
export function forecastFigures(entries: readonly Entry[]): Record<string, number> {
  const all = entries.filter(isForecast)
  const tookMs = all.map(({ sentMs, doneMs }) => doneMs - sentMs).sort((a, b) => a - b)
  return {
    forecasts: all.length,
    forecastsWithoutAnswer: all.filter(isFailure).length,
    medianMs: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    slowestMs: quantile(tookMs, 1),
  }
}

/** How many forecasts without an answer had which excuse. */
export function excuseFigures(entries: readonly Entry[], weather: Weather): Record<string, number> {
  const byExcuse = Map.groupBy(unanswered(entries, weather), ({ excuse }) => excuse)
  const count = (excuse: Excuse) => byExcuse.get(excuse)?.length ?? 0
  return {
    ofThoseAtBrokersThatWereDown: count('broker-down'),
    ofThoseWithoutAnyNodeInReach: count('no-node'),
    ofThoseWhileTheModelWasDeleted: count('model-deleted'),
    ofThoseOfPinnedVersions: count('pinned'),
  }
}

/**
 * How long after each fault answers were slow, as the median and the largest over the faults: from
 * the fault to the sending of the last slow request, as far as `untilMs`. Slow is what hardly ever
 * happened before the first fault.
 */
export function slowFigures(
  entries: readonly Entry[],
  faults: readonly { readonly fromMs: number; readonly untilMs: number }[],
): Record<string, number> {
  const forecasts = entries.filter(isForecast)
  const firstMs = Math.min(...faults.map(({ fromMs }) => fromMs))
  const calm = forecasts.filter(({ doneMs }) => doneMs < firstMs)
  const calmMs = calm.map(({ sentMs, doneMs }) => doneMs - sentMs).sort((a, b) => a - b)
  const calmP99Ms = quantile(calmMs, 0.99)
  const slow = forecasts.filter((entry) => isSlow(entry, Math.max(slowMs, 1.5 * calmP99Ms)))
  const normalMs = faults.map(({ fromMs, untilMs }) =>
    slow
      .filter(({ sentMs, doneMs }) => doneMs >= fromMs && sentMs < untilMs)
      .reduce((most, { sentMs }) => Math.max(most, sentMs - fromMs), 0),
  )
  normalMs.sort((a, b) => a - b)
  return {
    calmMedianMs: quantile(calmMs, 0.5),
    calmP99Ms,
    normalAfterMedianMs: quantile(normalMs, 0.5),
    normalAfterMostMs: quantile(normalMs, 1),
  }
}

/** Nobody notices less. */
const slowMs = 50

const isSlow = (entry: Forecast, thanMs: number) =>
  entry.doneMs - entry.sentMs > thanMs || isFailure(entry)

/** Of sorted values, rounded to a tenth; 0 when there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return Math.round(value * 10) / 10
}
