import type { World } from './world.ts'

function named(name: string, message: string): Error {
  const error = new Error(message)
  error.name = name
  return error
}

/** One for all: they differ in nothing but their stacks, which are dear. */
const aborted = named('AbortError', 'This operation was aborted')
const timedOut = named('TimeoutError', 'The operation was aborted due to timeout')

type Listener = {
  readonly call: (event: unknown) => void
  readonly once: boolean
}

/** As much of `AbortSignal` as the code uses, at a fraction of its cost. */
export class LightAbortSignal {
  aborted = false
  reason: unknown = undefined
  #listeners: Listener[] | undefined

  static abort(reason?: unknown): LightAbortSignal {
    const signal = new LightAbortSignal()
    signal.trip(reason ?? aborted)
    return signal
  }

  static any(signals: Iterable<LightAbortSignal>): LightAbortSignal {
    const all = [...signals]
    const signal = new LightAbortSignal()
    const tripped = all.find(({ aborted }) => aborted)
    if (tripped) {
      signal.trip(tripped.reason)
      return signal
    }
    const offs: (() => void)[] = []
    for (const source of all) {
      const follow = () => {
        for (const off of offs) off()
        signal.trip(source.reason)
      }
      source.addEventListener('abort', follow, { once: true })
      offs.push(() => source.removeEventListener('abort', follow))
    }
    return signal
  }

  addEventListener(
    type: string,
    call: Listener['call'],
    options?: { once?: boolean; signal?: LightAbortSignal } | boolean,
  ): void {
    if (type !== 'abort' || this.aborted) return
    const { once = false, signal } = typeof options === 'object' ? options : {}
    if (signal?.aborted) return
    this.#listeners ??= []
    if (this.#listeners.some((known) => known.call === call)) return
    this.#listeners.push({ call, once })
    signal?.addEventListener('abort', () => this.removeEventListener(type, call), { once: true })
  }

  removeEventListener(_type: string, call: Listener['call']): void {
    const index = this.#listeners?.findIndex((known) => known.call === call) ?? -1
    if (index >= 0) this.#listeners!.splice(index, 1)
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  /** Aborts it; doing so again does nothing. */
  trip(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const listeners = this.#listeners
    this.#listeners = undefined
    if (listeners === undefined) return
    for (const { call } of [...listeners]) call({ type: 'abort', target: this })
  }
}

export class LightAbortController {
  readonly signal = new LightAbortSignal()

  abort(reason?: unknown): void {
    this.signal.trip(reason ?? aborted)
  }
}

/** A signal that aborts after so much virtual time, as part of whoever asks for it. */
export function timeoutSignal(world: World, ms: number): LightAbortSignal {
  const signal = new LightAbortSignal()
  world.after(ms, world.current, () => signal.trip(timedOut))
  return signal
}
