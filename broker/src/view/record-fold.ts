import { type Codec, type Entry, type ParsedKey, parseKey, type WatchEvent } from '@almanac/shared'

/** Records of one kind, by key. */
export type Records<K, R> = ReadonlyMap<
  string,
  { readonly of: K; readonly record: R; readonly modRevision: number }
>

type Kinds = ParsedKey['kind']

/** Records of one kind of key, folded from the same events as the rest. */
export function createRecordFold<Kind extends Kinds, R>(
  kind: Kind,
  values: Pick<Codec<R>, 'decode'>,
  report: (key: string, fault: string) => void,
) {
  type Of = Extract<ParsedKey, { kind: Kind }>
  const all = new Map<string, { of: Of; record: R; modRevision: number }>()
  const isOfKind = (parsed: ParsedKey): parsed is Of => parsed.kind === kind
  const put = ({ key, value, modRevision }: Entry) => {
    const of = parseKey(key)
    if (!isOfKind(of)) return
    const decoded = values.decode(value)
    if (decoded.ok) all.set(key, { of, record: decoded.value, modRevision })
    else {
      all.delete(key)
      report(key, decoded.fault)
    }
  }
  return {
    all: all as Records<Of, R>,
    apply(event: WatchEvent): void {
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
