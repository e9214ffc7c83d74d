import { type Codec, type Entry, type ParsedKey, parseKey, type WatchEvent } from '@almanac/shared'

/** Records of one kind, by key. */
export type Records<K, R> = ReadonlyMap<
  string,
  { readonly of: K; readonly record: R; readonly modRevision: number }
>

/** Records of one kind of key, folded from the same events as the rest. `nameOf`: whose it is. */
export function createRecordFold<K, R>(
  nameOf: (key: ParsedKey) => K | undefined,
  values: Pick<Codec<R>, 'decode'>,
  report: (key: string, fault: string) => void,
): { readonly all: Records<K, R>; apply(event: WatchEvent): void } {
  const all = new Map<string, { of: K; record: R; modRevision: number }>()
  const put = ({ key, value, modRevision }: Entry) => {
    const of = nameOf(parseKey(key))
    if (of === undefined) return
    const decoded = values.decode(value)
    if (decoded.ok) all.set(key, { of, record: decoded.value, modRevision })
    else {
      all.delete(key)
      report(key, decoded.fault)
    }
  }
  return {
    all,
    apply(event) {
      if (event.kind === 'progress') return
      if (event.kind === 'snapshot') {
        all.clear()
        for (const entry of event.entries) put(entry)
        return
      }
      for (const change of event.changes) {
        if (change.kind === 'put') put(change.entry)
        else all.delete(change.key)
      }
    },
  }
}
