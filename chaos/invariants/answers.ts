import { answerOf, type Entry, type Forecast, isFit, isForecast, told } from '../history/entry.ts'
import { acknowledgedFits } from './fits.ts'

/** A version never changes: whoever asks it the same is answered the same, to the letter. */
export function answersThatDiffer(entries: readonly Entry[]): string[] {
  const first = new Map<string, Forecast>()
  const faults: string[] = []
  for (const { entry, digest, version } of answeredForecasts(entries)) {
    const { model, horizon, level } = entry.asked
    const question = `${model} ${version} ${horizon} ${level}`
    const known = first.get(question)
    if (known === undefined) first.set(question, entry)
    else if (answerOf(known)?.digest !== digest)
      faults.push(`not as answered before: ${told(entry)}; before: ${told(known)}`)
  }
  return faults
}

/** Who asked for a version, or for one at least as new, got that and nothing else. */
export function wrongVersions(entries: readonly Entry[]): string[] {
  return answeredForecasts(entries).flatMap(({ entry, version }) => {
    const { version: wanted, atLeast } = entry.asked
    const isRight = (wanted === null || wanted === version) && (atLeast ?? 0) <= version
    return isRight ? [] : [`not the version that was asked for: ${told(entry)}`]
  })
}

/** The digest of the points that a version fitted to these data forecasts, if it can be told. */
export type Expected = (
  fitted: { readonly model: string; readonly version: number; readonly data: string },
  horizon: number,
) => string | undefined

/**
 * Each answer is what a model of the data that its version was fitted to forecasts. A fit without
 * an answer may have any version of its model: an answer is right, too, when it is what one of
 * these would say.
 */
export function wrongAnswers(entries: readonly Entry[], expected: Expected): string[] {
  const dataOf = new Map<string, string>()
  for (const { entry, version } of acknowledgedFits(entries))
    dataOf.set(`${entry.asked.model} ${version}`, entry.asked.data)
  const unanswered = Object.groupBy(unansweredFits(entries), ({ model }) => model)
  const known = new Map<string, boolean>()
  return answeredForecasts(entries).flatMap(({ entry, version, pointsDigest }) => {
    const { model, horizon } = entry.asked
    const name = `${model} ${version} ${horizon} ${pointsDigest}`
    const isRight = () => {
      const data = dataOf.get(`${model} ${version}`)
      const possible =
        data === undefined ? (unanswered[model] ?? []).map((fit) => fit.data) : [data]
      const digests = possible.map((data) => expected({ model, version, data }, horizon))
      return digests.includes(undefined) || digests.includes(pointsDigest)
    }
    const right = known.get(name) ?? isRight()
    known.set(name, right)
    return right ? [] : [`not what its version computes: ${told(entry)}`]
  })
}

/** A version that a user was told of is there for this user ever after. */
export function deniedVersions(entries: readonly Entry[]): string[] {
  const told404 = entries.filter(isForecast).filter((entry) => {
    const answer = answerOf(entry, 404)
    return entry.asked.version !== null && answer?.word === 'no-such-version'
  })
  if (told404.length === 0) return []
  const fits = acknowledgedFits(entries)
  return told404.flatMap((entry) => {
    const { model, version } = entry.asked
    const before = fits.find(
      (fit) =>
        fit.entry.asked.model === model &&
        fit.version === version &&
        fit.entry.doneMs < entry.sentMs,
    )
    return before ? [`it was acknowledged before: ${told(entry)}`] : []
  })
}

type AnsweredForecast = {
  readonly entry: Forecast
  readonly version: number
  readonly digest: string
  readonly pointsDigest: string
}

function answeredForecasts(entries: readonly Entry[]): AnsweredForecast[] {
  return entries.filter(isForecast).flatMap((entry) => {
    const answer = answerOf(entry, 200)
    if (answer === undefined) return []
    const { version, digest, pointsDigest } = answer
    if (version === null) throw new Error(`an answer that names no version: ${told(entry)}`)
    return [{ entry, version, digest, pointsDigest }]
  })
}

function unansweredFits(entries: readonly Entry[]) {
  const acknowledged = new Set(acknowledgedFits(entries).map(({ entry }) => entry.asked.data))
  return entries
    .filter(isFit)
    .filter(({ asked, outcome }) => outcome.kind !== 'unreached' && !acknowledged.has(asked.data))
    .map(({ asked }) => asked)
}
