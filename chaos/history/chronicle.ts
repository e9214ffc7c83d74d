import { pause } from '../pause.ts'
import { type LogSeen, type Records, readRecords, type VersionSeen } from './records.ts'

/**
 * The records of a long run, read on the way: of each model the cluster keeps some hundred versions
 * and entries of the log, and what it let go by design must not be taken for lost.
 */
export class Chronicle {
  readonly #versions = new Map<string, Map<number, VersionSeen>>()
  readonly #logs = new Map<string, Map<number, LogSeen>>()

  note({ versions, logs }: Pick<Records, 'versions' | 'logs'>): void {
    for (const [model, some] of versions)
      for (const each of some) placeOf(this.#versions, model).set(each.version, each)
    for (const [model, some] of logs)
      for (const each of some) placeOf(this.#logs, model).set(each.n, each)
  }

  /**
   * The last records, and before them what had gone by then. Versions from before a deletion are
   * not of the model that is there now, and stay away.
   */
  whole(last: Records): Records {
    this.note(last)
    const logs = new Map(
      [...last.logs.keys()].map((model) => [
        model,
        [...placeOf(this.#logs, model).values()].sort((a, b) => a.n - b.n),
      ]),
    )
    const versions = new Map(
      [...last.versions].map(([model, some]) => {
        const isReborn = logs.get(model)?.some(({ why }) => why === 'deleted')
        if (isReborn) return [model, some] as const
        const all = [...placeOf(this.#versions, model).values()]
        return [model, all.sort((a, b) => b.version - a.version)] as const
      }),
    )
    return { ...last, versions, logs }
  }
}

function placeOf<Value>(all: Map<string, Map<number, Value>>, model: string): Map<number, Value> {
  const known = all.get(model) ?? new Map<number, Value>()
  all.set(model, known)
  return known
}

/** The busiest model has some fifty versions in this time, and a hundred are kept. */
const everyMs = 8_000

/** Reads until the signal says that it is enough. A broker that is not well is passed over. */
export async function chronicleOf(
  brokers: readonly { readonly url: string }[],
  isOurs: (model: string) => boolean,
  signal: AbortSignal,
): Promise<Chronicle> {
  const chronicle = new Chronicle()
  for (let i = 0; !signal.aborted; i++) {
    const { url } = brokers[i % brokers.length]!
    const read = await readRecords(url, isOurs).catch(() => undefined)
    if (read) chronicle.note(read)
    await pause(read ? everyMs : everyMs / 10, signal)
  }
  return chronicle
}
