/** A forecast as asked for, checked. */
export type Ask = {
  readonly tenant: string
  readonly model: string
  readonly horizon: number
  /** Canonical: equal questions have equal text. */
  readonly query: string
  /** Which version: what serves, by another name, or by number. */
  readonly version: 'serving' | 'previous' | 'latest' | number
  /** Only what is at least as new will do. */
  readonly atLeast: number | null
  /** The key of one of many series, which the query names, too; absent where there is one. */
  readonly series?: string
  /** What was worked out of it before: kept for what is asked again and again. */
  readonly memo?: Memo
}

/** Only which version it would be: no question of it. */
export const askOfVersion = (
  { tenant, model }: Pick<Ask, 'tenant' | 'model'>,
  version: Ask['version'],
): Ask => ({ tenant, model, horizon: 1, query: '', version, atLeast: null })

type Memo = { readonly id: string; version: number; key: string }

/** The same, for whoever keeps it: names are spelled out once, not at every request. */
export const rememberedAsk = (ask: Ask): Ask => ({
  ...ask,
  memo: { id: idOf(ask), version: Number.NaN, key: '' },
})

/** Whose model is asked. */
export type Whose = Pick<Ask, 'tenant' | 'model' | 'memo'>

export const idOf = (ask: Whose) => ask.memo?.id ?? `${ask.tenant}/${ask.model}`

/** The name of an answer: versions never change, so neither does what this names. */
export function answerKey(ask: Ask, version: number): string {
  const { memo } = ask
  if (memo?.version === version) return memo.key
  const key = `${ask.tenant}/${ask.model}/${version}/${ask.horizon}?${ask.query}`
  if (memo) {
    memo.version = version
    memo.key = key
  }
  return key
}

/** Names the version, so that a person can read it; the rest tells questions apart. */
export const etagOf = (ask: Ask, version: number) =>
  `"${ask.model}-${version}-${ask.horizon}${ask.query ? `-${textHash(ask.query)}` : ''}"`

/** FNV-1a: enough to tell apart the few questions that are asked of one version. */
function textHash(text: string): string {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return (h >>> 0).toString(36)
}
