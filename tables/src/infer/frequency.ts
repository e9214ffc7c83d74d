import type { Frequency } from '@almanac/engine'
import { wallMsOf } from './time-guess.ts'

type Guess = { readonly word: Frequency; readonly isGuess: boolean }

/** The usual distance of neighbouring times, as far as the first rows have several. */
export function frequencyOf(texts: readonly (string | null)[], format: string): Guess {
  const known = texts.flatMap((text) => wallMsOf(text ?? '', format) ?? [])
  const times = [...new Set(known)].toSorted((a, b) => a - b)
  const steps = times.slice(1).map((time, i) => time - times[i]!)
  const usual = steps.toSorted((a, b) => a - b)[steps.length >> 1]
  // Tools that know no dates write days as midnights.
  const hasClock = times.some((time) => time % dayMs !== 0)
  const hasDays =
    format === 'iso' ? texts.some((text) => /-\d\d-/.test(text ?? '')) : /%d/.test(format)
  if (usual === undefined) {
    const isEpoch = format.startsWith('epoch')
    return { word: hasClock ? 'hourly' : hasDays || isEpoch ? 'daily' : 'monthly', isGuess: true }
  }
  if (hasClock && usual < 20 * hourMs)
    return { word: 'hourly', isGuess: steps.some((step) => step % hourMs !== 0) }
  // Times within days, as of tills, tell days by their distances.
  return { word: wordOf(hasClock ? Math.round(usual / dayMs) : usual / dayMs), isGuess: false }
}

const hourMs = 3_600_000
const dayMs = 86_400_000

function wordOf(days: number): Frequency {
  const known: readonly (readonly [number, Frequency])[] = [
    [6, 'daily'],
    [27, 'weekly'],
    [88, 'monthly'],
    [360, 'quarterly'],
  ]
  return known.find(([below]) => days < below)?.[1] ?? 'yearly'
}
