import { type Random, seededRandom } from '@almanac/shared'
import { EventQueue, type Scheduled } from './event-queue.ts'

/** A simulated process: what its timers and messages belong to. */
export type Process = {
  readonly name: string
  /** Counts the starts under one name. */
  readonly incarnation: number
  state: 'running' | 'paused' | 'dead'
  /** What came due while it was paused, in order. */
  readonly backlog: Scheduled[]
  /** Wall time minus true time: clocks of machines differ, and jump. */
  wallOffsetMs: number
  /** Raised by everything that may cost a request in it: a crash, a pause, a drain. */
  troubles: number
  /** When the last of them was, or ended. */
  troubledMs: number
}

const calm = { wallOffsetMs: 0, troubles: 0 }

export type WorldOptions = {
  readonly seed: number
  /** Told of every line of the trace; without it none is made. */
  readonly trace?: ((line: string) => void) | undefined
  /** After which the first minute begins. */
  readonly minuteInMs?: number | undefined
}

/** A minute before the first one that may begin. */
const wallStartMs = Date.UTC(2030, 0, 1)
const minuteMs = 60_000

/**
 * Virtual time: events in order of time, then of their making. Whatever an event's code does, with
 * all promises that follow from it, is over before the next one begins, and belongs to one process.
 */
export class World {
  readonly random: Random
  readonly isTraced: boolean
  /** Wall time at its start, of who has the right one. */
  readonly wallStartMs: number
  nowMs = 0
  events = 0
  /** Whose code runs; undefined: the world's own. */
  current: Process | undefined
  /** Errors that would have ended a process. */
  readonly uncaught: string[] = []
  readonly #queue = new EventQueue()
  readonly #trace: ((line: string) => void) | undefined
  readonly #incarnations = new Map<string, number>()

  constructor({ seed, trace, minuteInMs = minuteMs }: WorldOptions) {
    this.random = seededRandom(seed)
    this.wallStartMs = wallStartMs + minuteMs - minuteInMs
    this.#trace = trace
    this.isTraced = trace !== undefined
  }

  trace(text: () => string): void {
    if (this.#trace === undefined) return
    const who = this.current === undefined ? '' : `${this.current.name} `
    this.#trace(`${this.nowMs.toFixed(3).padStart(10)} ${who}${text()}`)
  }

  startProcess(name: string): Process {
    const incarnation = (this.#incarnations.get(name) ?? 0) + 1
    this.#incarnations.set(name, incarnation)
    return { name, incarnation, state: 'running', backlog: [], ...calm, troubledMs: this.nowMs }
  }

  trouble(process: Process): void {
    process.troubles += 1
    process.troubledMs = this.nowMs
  }

  /** Nothing of it happens any more. */
  kill(process: Process): void {
    process.state = 'dead'
    this.trouble(process)
    process.backlog.length = 0
  }

  pause(process: Process): void {
    if (process.state !== 'running') return
    process.state = 'paused'
    this.trouble(process)
  }

  resume(process: Process): void {
    if (process.state !== 'paused') return
    process.state = 'running'
    this.trouble(process)
    for (const event of process.backlog.splice(0)) {
      event.atMs = this.nowMs
      this.#queue.push(event)
    }
  }

  /** Runs `work` after `delayMs` as part of `owner`, if that still lives then. */
  after(delayMs: number, owner: Process | undefined, work: () => void): Scheduled {
    return this.#queue.add(this.nowMs + delayMs, owner, work)
  }

  /** Runs `work` at once as part of a process, with all that follows from it. */
  within(owner: Process | undefined, work: () => void): void {
    const before = this.current
    this.current = owner
    try {
      work()
      drain()
    } catch (error) {
      this.#report(error)
    } finally {
      this.current = before
    }
  }

  /** Runs until `untilMs`, or until `isOver` says so, which is asked after every event. */
  run(untilMs: number, isOver: () => boolean = () => false): void {
    for (;;) {
      const next = this.#queue.peek()
      if (next === undefined || next.atMs > untilMs) break
      this.#queue.pop()
      this.#dispatch(next)
      if (isOver()) return
    }
    this.nowMs = untilMs
  }

  /**
   * Nothing happens any more. What still waits holds all that ever was in this world: the collector
   * of garbage would carry it over from one young generation to the next.
   */
  end(): void {
    this.#queue.clear()
  }

  report(kind: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const who = this.current?.name ?? 'the world'
    this.uncaught.push(`${who}: ${kind}: ${text}`)
    this.trace(() => `${kind}: ${text}`)
  }

  #dispatch(event: Scheduled): void {
    if (event.cancelled) return
    const { owner } = event
    if (owner?.state === 'dead') return
    if (owner?.state === 'paused') {
      owner.backlog.push(event)
      return
    }
    this.nowMs = event.atMs
    this.events += 1
    this.current = owner
    try {
      event.work()
      drain()
    } catch (error) {
      this.#report(error)
    } finally {
      this.current = undefined
    }
  }

  #report(error: unknown): void {
    this.report('uncaught', error)
  }
}

/**
 * Runs all that waits in the queues of promises and of `process.nextTick`, at once. Node has no
 * documented call for it; without this one every event would cost a turn of the real event loop.
 */
const drain = (process as unknown as { _tickCallback: () => void })._tickCallback

/** Whether `drain` does what it says: not from within a promise's own callback. */
export function canDrain(): boolean {
  let isDone = false
  Promise.resolve()
    .then(() => {})
    .then(() => {
      isDone = true
    })
  drain()
  return isDone
}
