import type { Candidate, Note } from '../family.ts'
import { joined } from '../words.ts'
import type { AutomaticModel, Calibration } from './model.ts'
import type { Profile } from './profile.ts'

/** In words: who was chosen, why, who was not taken, and where the seasons come from. */
export function summaryOf(
  model: AutomaticModel,
  profile: Profile,
  why: string,
  candidates: readonly Candidate[],
): string {
  const names = model.members.map(({ name }) => name)
  const chosen =
    names.length === 1 ? `The forecast is that of ${names[0]}` : `The median of ${joined(names)}`
  const sentences = [`${chosen}: ${why}.`, seasonSentence(profile)]
  const left = candidates.filter(({ refused }) => refused !== undefined)
  for (const { name, refused } of left)
    sentences.push(`${name} was not taken: ${inside(refused ?? '')}`)
  if (model.skipped > 0) {
    sentences.push(`Only what came after the first ${model.skipped} values was looked at.`)
  }
  const spikes = model.repairs.places.length
  if (spikes > 0) {
    const far = spikes === 1 ? 'One spike was' : `${spikes} spikes were`
    sentences.push(`${far} not shown to the members, who saw what is usual there.`)
  }
  return sentences.filter((sentence) => sentence !== '').join(' ')
}

/** Each repair as a sentence, the first of many; values are counted from 0 in the whole series. */
export function repairsInWords({ repairs, skipped }: AutomaticModel): string[] {
  const { places, originals, substitutes } = repairs
  const told = Array.from(places.subarray(0, repairsTold), (place, i) => {
    const usual = Number(substitutes[i]!.toPrecision(4))
    return `Value ${skipped + place} is ${originals[i]}; members saw ${usual}.`
  })
  const rest = places.length - told.length
  return rest > 0 ? [...told, `So it was with ${rest} more.`] : told
}

const repairsTold = 20

/** A series that never varied shows nothing of how it might. */
export const constantNote: Note = {
  code: 'intervals-none',
  detail: 'The series does not vary, so the intervals have no width; that is no promise.',
}

/** What is claimed of the intervals, and what is not. */
export function intervalNote({ scores, covered80, covered95 }: Calibration): Note {
  if (scores === 0) {
    const detail =
      'The intervals are as wide as is usual for such a series; none of its own errors was used.'
    return { code: 'intervals-usual', detail }
  }
  const percent = (share: number) => `${Math.round(100 * share)}%`
  const shown =
    `Of ${scores} errors at rolling origins ${percent(covered80)} lie within the 80% interval ` +
    `and ${percent(covered95)} within the 95% interval.`
  if (scores < guaranteeMin) {
    const detail = `${shown} That is too few for a guarantee; the width leans on what is usual.`
    return { code: 'intervals-few-scores', detail }
  }
  const detail = `${shown} They are not independent, and parameters saw them: no guarantee follows.`
  return { code: 'intervals-rolling', detail }
}

/** With fewer errors even the largest is no 95% bound: 19 = 1 / 0.05 - 1. */
const guaranteeMin = 19

function seasonSentence({ seasons, seasonsFrom, seasonsLeft, constant }: Profile): string {
  const left =
    seasonsLeft.length > 0
      ? `${seasonWord(seasonsLeft)} ${verbOf(seasonsLeft, 'is', 'are')} too long for this series.`
      : ''
  if (seasonsFrom !== 'detected' || constant !== undefined) return left
  return seasons.length > 0
    ? `Nobody gave a season; ${joined(seasons)} ${verbOf(seasons, 'was', 'were')} found in the series.`
    : ''
}

function seasonWord(seasons: readonly number[]): string {
  return `${verbOf(seasons, 'A season', 'Seasons')} of ${joined(seasons)}`
}

function verbOf(items: readonly unknown[], one: string, many: string): string {
  return items.length === 1 ? one : many
}

/** A sentence behind a colon: a first word that is a name keeps its capitals. */
function inside(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase())
}
