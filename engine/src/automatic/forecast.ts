import type { Ask, Forecast, Outcome, Run } from '../family.ts'
import { done } from '../outcome.ts'
import { combineVoices, voicesOf } from './combine.ts'
import { type AutomaticModel, isDemand } from './model.ts'
import { constantNote, intervalNote } from './summary.ts'

export function forecastAutomatic(model: AutomaticModel, ask: Ask, run: Run): Outcome<Forecast> {
  const { point: wanted, ...plain } = ask
  const voices = voicesOf(model.members, plain, run)
  if (voices.kind === 'refused') return voices
  const forecast = concluded(model, combineVoices(voices.value, model.calibration, ask))
  if (wanted === undefined || forecast.kind === 'refused') return forecast
  const means = voicesOf(model.members, { ...plain, point: wanted, quantiles: none }, run)
  if (means.kind === 'refused') return means
  const { point } = combineVoices(means.value, model.calibration, { ...ask, quantiles: none })
  return done({ ...forecast.value, point })
}

/** What a combination says in the end: demands are not below zero, and the notes are complete. */
export function concluded(model: AutomaticModel, forecast: Forecast): Outcome<Forecast> {
  const notes = [
    ...forecast.notes,
    model.rung === 'constant' ? constantNote : intervalNote(model.calibration),
  ]
  if (!isDemand(model)) return done({ ...forecast, notes })
  return done({ ...forecast, quantiles: forecast.quantiles.map(atLeastZero), notes })
}

function atLeastZero(value: number): number {
  return Math.max(0, value)
}

const none = new Float64Array(0)
