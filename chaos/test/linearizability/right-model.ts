import { type Random, seededRandom } from '../../../shared/src/index.ts'
import type { Operation } from '../../linearizability/history.ts'

type Act = Operation['act']

/**
 * A history as a right system would make it: everything is done one after the other, and told with
 * times around the moment at which it was done, so that much overlaps. Some outcomes are not told.
 */
export function rightHistory(seed: number, steps: number, unknownShare: number): Operation[] {
  const made = new Making(seededRandom(seed), unknownShare)
  for (let step = 0; step < steps; step++) made.step()
  return made.history
}

class Making {
  readonly history: Operation[] = []
  readonly #random: Random
  readonly #unknownShare: number
  readonly #views = new Map([
    ['a', { changes: 0, serving: null as number | null }],
    ['b', { changes: 0, serving: null as number | null }],
  ])
  #nowMs = 100
  #exists = false
  #last = 0
  #floor = 0
  #high = 0
  #changes = 0
  #hold = false
  #why: 'fit' | 'rollback' = 'fit'
  #serving: number | null = null
  #target: number | null = null
  #previous: number | null = null

  constructor(random: Random, unknownShare: number) {
    this.#random = random
    this.#unknownShare = unknownShare
  }

  step(): void {
    this.#nowMs += this.#random() * 4
    for (const view of this.#views.values())
      if (this.#random() < 0.5) {
        view.changes = this.#changes
        view.serving = this.#serving
      }
    const kinds = [
      () => this.#allocate(),
      () => this.#retarget(),
      () => this.#promote(),
      () => this.#promote(),
      () => this.#rollback(),
      () => this.#release(),
      () => this.#look(),
      () => this.#look(),
      () => this.#read(),
      () => (this.#random() < 0.2 ? this.#delete() : undefined),
    ]
    kinds[Math.floor(this.#random() * kinds.length)]?.()
  }

  /** What changes something may be done without an answer, or left undone without one. */
  #change(act: Act, unanswered: Act, work: () => void): void {
    if (this.#random() >= this.#unknownShare) {
      work()
      this.#tell(act)
      return
    }
    const callMs = this.#nowMs - this.#random() * 10
    if (this.#random() < 0.5) work()
    this.history.push({ client: 'lost', model: 'm', callMs, returnMs: null, act: unanswered })
  }

  #tell(act: Act): void {
    const [before, after] = [this.#random() * 10, this.#random() * 10]
    const client = `client ${Math.floor(this.#random() * 5)}`
    const [callMs, returnMs] = [this.#nowMs - before, this.#nowMs + after]
    this.history.push({ client, model: 'm', callMs, returnMs, act })
  }

  #allocate(): void {
    const version = this.#last + 1
    this.#change({ kind: 'allocate', version }, { kind: 'allocate', version: null }, () => {
      this.#last = version
      if (this.#exists) return
      this.#exists = true
      this.#floor = version - 1
      this.#high = version - 1
      this.#why = 'fit'
    })
  }

  /** Of a broker's own accord. */
  #retarget(): void {
    if (!this.#exists || this.#hold) return
    if (this.#target !== this.#serving) this.#target = this.#serving
    else if (this.#last > this.#high) {
      this.#target = this.#last
      this.#high = this.#last
      this.#why = 'fit'
    }
  }

  #promote(): void {
    const [from, to] = [this.#serving, this.#target]
    if (!this.#exists || to === null || to === from) return
    this.#changes += 1
    this.#previous = from ?? this.#previous
    this.#serving = to
    this.#tell({ kind: 'promote', n: this.#changes, from, to, why: this.#why })
  }

  #rollback(): void {
    const version = this.#random() < 0.3 ? null : this.#floor + 1
    const to = version ?? this.#previous
    if (!this.#exists || to === null || to > this.#last) return
    const act: Act = { kind: 'rollback', version }
    this.#change(act, act, () => {
      this.#target = to
      this.#hold = true
      this.#why = 'rollback'
    })
  }

  #release(): void {
    if (!this.#exists) return
    this.#change({ kind: 'release' }, { kind: 'release' }, () => {
      this.#hold = false
    })
  }

  #delete(): void {
    if (!this.#exists) return
    const unanswered: Act = { kind: 'delete', lastVersion: null }
    this.#change({ kind: 'delete', lastVersion: this.#last }, unanswered, () => {
      this.#exists = false
      this.#changes += 1
      this.#serving = null
      this.#target = null
      this.#previous = null
      this.#hold = false
    })
  }

  #look(): void {
    const [broker, view] = [...this.#views][this.#random() < 0.5 ? 0 : 1]!
    // Before it denies a model, and after it has made one, a broker knows what is true.
    if (!this.#exists) this.#tell({ kind: 'look', broker, found: null })
    else if (view.serving !== null && this.#random() < 0.5)
      this.#tell({ kind: 'serves', broker, version: view.serving })
    else this.#tell({ kind: 'look', broker, found: { ...view } })
  }

  #read(): void {
    const found = {
      serving: this.#serving,
      target: this.#target,
      previous: this.#previous,
      high: this.#high,
      hold: this.#hold,
      changes: this.#changes,
    }
    this.#tell({ kind: 'read', found: this.#exists ? found : null })
  }
}
