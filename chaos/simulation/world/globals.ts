/**
 * Takes over what a process has of time and chance, so that no code can escape a simulation that
 * runs: timers, clocks, abort signals, random bytes. Outside of one all is as it was. Must be
 * imported before anything that is to be simulated.
 */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { LightAbortController, LightAbortSignal, timeoutSignal } from './abort.ts'
import type { Scheduled } from './event-queue.ts'
import type { World } from './world.ts'

let world: World | undefined

/** Runs `work` in a world; its time and chance are then the only ones. */
export function inWorld<T>(of: World, work: () => T): T {
  world = of
  try {
    return work()
  } finally {
    world = undefined
  }
}

/** For the handler of unhandled rejections. */
export const worldNow = (): World | undefined => world

class Timer {
  scheduled: Scheduled | undefined
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
}

const real = {
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  setImmediate: globalThis.setImmediate,
  clearTimeout: globalThis.clearTimeout,
  Date: globalThis.Date,
  dateNow: Date.now,
  performanceNow: performance.now.bind(performance),
  random: Math.random.bind(Math),
  AbortController: globalThis.AbortController,
  AbortSignal: globalThis.AbortSignal,
  randomBytes: crypto.randomBytes,
  randomUUID: crypto.randomUUID,
  nextTurn: timers.setImmediate,
}

function later(of: World, ms: number, everyMs: number | undefined, work: () => void): Timer {
  const timer = new Timer()
  const owner = of.current
  const fire = () => {
    if (everyMs !== undefined) timer.scheduled = of.after(everyMs, owner, fire)
    work()
  }
  timer.scheduled = of.after(ms, owner, fire)
  return timer
}

const clear = (timer: unknown) => {
  if (timer instanceof Timer) {
    if (timer.scheduled) timer.scheduled.cancelled = true
  } else real.clearTimeout(timer as NodeJS.Timeout)
}

/** As Node does: shorter delays, and what is none, are a millisecond. */
const delayOf = (ms: unknown) => Math.max(1, Number(ms) || 1)

type Work = (...args: unknown[]) => void

class WorldDate extends real.Date {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(wallNow())
    else super(...(args as [number]))
  }
  static override now(): number {
    return wallNow()
  }
}

function wallNow(): number {
  if (world === undefined) return real.dateNow()
  return Math.floor(world.wallStartMs + world.nowMs + (world.current?.wallOffsetMs ?? 0))
}

function bytesOf(of: World, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i += 1) bytes[i] = of.random() * 256
  return bytes
}

function install(): void {
  const own: Record<string, unknown> = {
    setTimeout: (work: Work, ms?: number, ...args: unknown[]) =>
      world
        ? later(world, delayOf(ms), undefined, () => work(...args))
        : real.setTimeout(work, ms, ...args),
    setInterval: (work: Work, ms?: number, ...args: unknown[]) =>
      world
        ? later(world, delayOf(ms), delayOf(ms), () => work(...args))
        : real.setInterval(work, ms, ...args),
    setImmediate: (work: Work, ...args: unknown[]) =>
      world
        ? later(world, 0, undefined, () => work(...args))
        : (real.setImmediate as (work: Work, ...args: unknown[]) => unknown)(work, ...args),
    clearTimeout: clear,
    clearInterval: clear,
    Date: WorldDate,
    AbortController: choosing(real.AbortController, LightAbortController),
    AbortSignal: signals(),
  }
  Object.assign(globalThis, own)
  performance.now = () => (world ? world.nowMs : real.performanceNow())
  Math.random = () => (world ? world.random() : real.random())
  const promised = timers as unknown as Record<string, unknown>
  promised.setImmediate = (value: unknown, options?: object) => {
    const of = world
    if (of === undefined) return real.nextTurn(value, options)
    return new Promise((resolve) => later(of, 0, undefined, () => resolve(value)))
  }
  const chance = crypto as unknown as Record<string, unknown>
  chance.randomBytes = (size: number) => (world ? bytesOf(world, size) : real.randomBytes(size))
  chance.randomUUID = () => {
    if (world === undefined) return real.randomUUID()
    const text = bytesOf(world, 16).toString('hex')
    const parts = [text.slice(0, 8), text.slice(8, 12), `4${text.slice(13, 16)}`]
    return [...parts, `a${text.slice(17, 20)}`, text.slice(20)].join('-')
  }
  syncBuiltinESMExports()
}

/** A constructor that makes the light kind inside of a simulation. */
function choosing<T extends object>(heavy: new () => T, light: new () => object): unknown {
  return function Chosen() {
    return world ? new light() : new heavy()
  }
}

function signals(): unknown {
  return {
    abort: (reason?: unknown) => (world ? LightAbortSignal : real.AbortSignal).abort(reason),
    any: (all: never) => (world ? LightAbortSignal : real.AbortSignal).any(all),
    timeout: (ms: number) => (world ? timeoutSignal(world, ms) : real.AbortSignal.timeout(ms)),
    // What asks whether something is a signal means either kind.
    [Symbol.hasInstance]: (value: unknown) =>
      value instanceof LightAbortSignal || value instanceof real.AbortSignal,
  }
}

install()
