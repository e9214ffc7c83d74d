import { codec, LogRecord, modelId, parseKey, type WatchEvent } from '@almanac/shared'

export type LogView = {
  /** By model id, then by number: what served after what. */
  readonly entries: (model: string) => ReadonlyMap<number, LogRecord>
  /** Whether a version ever served, as far as the kept log reaches. */
  readonly served: (model: string, version: number) => boolean
}

const logs = codec(LogRecord)

/** The promotions of all models, folded from the same events as the rest. */
export function createLogFold(
  report: (key: string, fault: string) => void,
): LogView & { apply(event: WatchEvent): void } {
  const models = new Map<string, Map<number, LogRecord>>()
  const none: ReadonlyMap<number, LogRecord> = new Map()

  const put = (key: string, value: string) => {
    const parsed = parseKey(key)
    if (parsed.kind !== 'log') return
    const decoded = logs.decode(value)
    if (!decoded.ok) return report(key, decoded.fault)
    const entries = models.get(modelId(parsed)) ?? new Map<number, LogRecord>()
    models.set(modelId(parsed), entries.set(parsed.n, decoded.value))
  }
  const remove = (key: string) => {
    const parsed = parseKey(key)
    if (parsed.kind === 'log') models.get(modelId(parsed))?.delete(parsed.n)
  }
  return {
    entries: (model) => models.get(model) ?? none,
    served: (model, version) =>
      [...(models.get(model)?.values() ?? [])].some((entry) => entry.to === version),
    apply(event) {
      if (event.kind === 'progress') return
      if (event.kind === 'snapshot') {
        models.clear()
        for (const entry of event.entries) put(entry.key, entry.value)
        return
      }
      for (const change of event.changes) {
        if (change.kind === 'put') put(change.entry.key, change.entry.value)
        else remove(change.key)
      }
    },
  }
}
