import type { World } from '../world/world.ts'

type Grant = { readonly ttlMs: number; deadlineMs: number }

/** The leases of an etcd: they end when nobody asks for them to go on. */
export class Leases {
  readonly #world: World
  readonly #onEnd: (id: string) => void
  readonly #grants = new Map<string, Grant>()
  #last = 0
  #areFrozen = false

  constructor(world: World, onEnd: (id: string) => void) {
    this.#world = world
    this.#onEnd = onEnd
  }

  /** Whole seconds, two at least, as etcd counts with its defaults. */
  grant(seconds: number): { readonly id: string; readonly ttlSeconds: number } {
    this.#last += 1
    const id = String(7_000_000_000 + this.#last)
    const ttlSeconds = Math.max(2, Math.ceil(seconds))
    const grant = { ttlMs: ttlSeconds * 1_000, deadlineMs: 0 }
    this.#grants.set(id, grant)
    this.#extend(grant)
    this.#watch(id, grant)
    return { id, ttlSeconds }
  }

  has = (id: string): boolean => this.#grants.has(id)

  ids(): string[] {
    return [...this.#grants.keys()]
  }

  /** Seconds that it has again; 0: it is not there. */
  keepAlive(id: string): number {
    const grant = this.#grants.get(id)
    if (!grant) return 0
    this.#extend(grant)
    return grant.ttlMs / 1_000
  }

  /** False when it was not there. */
  revoke(id: string): boolean {
    if (!this.#grants.delete(id)) return false
    this.#onEnd(id)
    return true
  }

  /** While etcd has no leader no lease ends; a new leader gives all of them their whole time. */
  freeze(): void {
    this.#areFrozen = true
  }

  thaw(): void {
    this.#areFrozen = false
    for (const [id, grant] of this.#grants) {
      this.#extend(grant)
      this.#watch(id, grant)
    }
  }

  #extend(grant: Grant): void {
    grant.deadlineMs = this.#world.nowMs + grant.ttlMs
  }

  #watch(id: string, grant: Grant): void {
    this.#world.after(grant.deadlineMs - this.#world.nowMs, undefined, () => {
      if (this.#areFrozen || this.#grants.get(id) !== grant) return
      if (this.#world.nowMs < grant.deadlineMs) this.#watch(id, grant)
      else this.revoke(id)
    })
  }
}
