import type { Entry } from '../history/entry.ts'
import type { Records } from '../history/records.ts'
import {
  answersThatDiffer,
  deniedVersions,
  type Expected,
  wrongAnswers,
  wrongVersions,
} from './answers.ts'
import { failedForecasts, internalErrors, notWellAgain } from './availability.ts'
import type { Weather } from './disturbance.ts'
import { allocatedBackwards, allocatedTwice, lostFits } from './fits.ts'
import { brokenLogs, stepsBack } from './order.ts'

export type Evidence = {
  readonly entries: readonly Entry[]
  /** As read when all had come to rest. */
  readonly records: Records
  readonly weather: Weather
  readonly expected: Expected
  /** After the last disturbance nothing fails from so long on. */
  readonly wellWithinMs: number
}

/** Every promise that a history can break, each with what broke it; empty when all were kept. */
export function brokenPromises(evidence: Evidence): string[] {
  const { entries, records, weather, expected, wellWithinMs } = evidence
  const found: Record<string, readonly string[]> = {
    'lost fit': lostFits(entries, records),
    'version given twice': allocatedTwice(entries, records),
    'version given out of order': allocatedBackwards(entries),
    'broken log': brokenLogs(records),
    'step back': stepsBack(entries, records),
    'answers differ': answersThatDiffer(entries),
    'wrong version': wrongVersions(entries),
    'wrong answer': wrongAnswers(entries, expected),
    'version denied': deniedVersions(entries),
    'failed forecast': failedForecasts(entries, weather),
    'internal error': internalErrors(entries),
    'not well again': notWellAgain(entries, weather, wellWithinMs),
  }
  return Object.entries(found).flatMap(([name, faults]) => shown(name, faults))
}

/** One cause often breaks a promise a thousand times: a few tell as much. */
const shownMax = 5

function shown(name: string, faults: readonly string[]): string[] {
  const lines = faults.slice(0, shownMax).map((fault) => `${name}: ${fault}`)
  const more = faults.length - lines.length
  return more > 0 ? [...lines, `${name}: and ${more} more`] : lines
}
