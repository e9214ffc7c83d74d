/** Something that a client asks for. */
export type Request =
  | {
      readonly kind: 'fit'
      readonly atMs: number
      readonly broker: string
      readonly model: string
      /** The series: this number again and again. Tells the versions of a schedule apart. */
      readonly value: number
      /** How long the fit takes, and how it ends. */
      readonly ms: number
      readonly end: 'fitted' | 'refused' | 'crashed'
      /** An `Idempotency-Key`: then a failed request is repeated at the next broker. */
      readonly key: string | null
      /** How often it was repeated already. */
      readonly repeats?: number
      /** Of many series: how many shards they are cut into, each of as many series as its place. */
      readonly shards?: number
      /** Of a table: many series, or the rows themselves, to which a regression is fitted. */
      readonly table?: 'series' | 'rows'
      /** Not a fit, but new observations of this one of many series. */
      readonly adds?: string
      /** Of such news: how badly they were foreseen, as a scaled error; nothing is said without. */
      readonly liveMase?: number
      /** Not a fit of this number, but one of all data that the model has. */
      readonly refit?: true
      /** Of many series: whoever joins their data with news ends in the middle of it. */
      readonly joins?: 'crashed'
    }
  | {
      readonly kind: 'forecast'
      readonly atMs: number
      readonly broker: string
      readonly model: string
      readonly horizon: number
      /** Of a model of many series: which of them. */
      readonly series?: string
      readonly version: 'serving' | 'latest' | 'previous' | number
      /** After which the client leaves; null: it stays. */
      readonly patienceMs: number | null
    }
  | {
      readonly kind: 'rollback' | 'release' | 'delete'
      readonly atMs: number
      readonly broker: string
      readonly model: string
    }
  | {
      readonly kind: 'cancel' | 'retry'
      readonly atMs: number
      readonly broker: string
      readonly model: string
      /** That of the fit whose newest job is meant. */
      readonly value: number
    }
  | {
      /** Of what serves. */
      readonly kind: 'backtest'
      readonly atMs: number
      readonly broker: string
      readonly model: string
      readonly mode: 'refit' | 'update'
    }
  | {
      /** Says from which live accuracy on the model is fitted again. */
      readonly kind: 'rule'
      readonly atMs: number
      readonly broker: string
      readonly model: string
      readonly liveMase: number
      readonly observations: number
      readonly restSeconds: number
    }
  | {
      /** Says what is begun every minute. */
      readonly kind: 'schedule'
      readonly atMs: number
      readonly broker: string
      readonly name: string
      readonly model: string
      readonly action: 'refit' | 'backtest'
      readonly enabled: boolean
    }

type Lasting = { readonly atMs: number; readonly forMs: number }

/** Something that goes wrong, for a while where it lasts. */
export type Fault =
  | (Lasting & { readonly kind: 'crash' | 'pause' | 'drain'; readonly who: string })
  /** One way; both ways are two of them. */
  | (Lasting & { readonly kind: 'cut'; readonly from: string; readonly to: string })
  | (Lasting & { readonly kind: 'slow'; readonly from: string; readonly to: string; ms: number })
  | (Lasting & { readonly kind: 'lose'; readonly from: string; readonly to: string; share: number })
  | (Lasting & { readonly kind: 'etcd-away' | 'etcd-silent' | 'store-away' })
  /** All leases end while nobody can keep them. */
  | { readonly kind: 'leases-lost'; readonly atMs: number; readonly share: number }
  | { readonly kind: 'compaction'; readonly atMs: number }
  | { readonly kind: 'streams-broken' | 'streams-forgotten'; readonly atMs: number; who: string }
  | { readonly kind: 'clock-jump'; readonly atMs: number; readonly who: string; ms: number }
  /** Spoils the models of fits of this value. */
  | { readonly kind: 'damage'; readonly atMs: number; readonly value: number; how: Damage }

type Damage = 'flip' | 'truncate' | 'lose'

/** A schedule: all that is not decided by the code itself. */
export type Plan = {
  readonly seed: number
  readonly brokers: number
  readonly nodes: number
  /** Until then there may be faults; after it all must become well. */
  readonly safetyMs: number
  /** How long before a minute it begins; a whole one without. */
  readonly minuteInMs?: number
  readonly requests: readonly Request[]
  readonly faults: readonly Fault[]
}
