import type { Random } from '@almanac/shared'
import type { WeatherLog } from '../experiments/weather-log.ts'
import type { Topology } from '../topology/topology.ts'

/** What there is to break, by name. */
export type Shape = {
  readonly brokers: readonly string[]
  readonly nodes: readonly string[]
  readonly members: readonly string[]
}

/** Where a fault does its work. */
export type Site = Pick<WeatherLog, 'down' | 'onLinks' | 'note'> & {
  readonly topology: Topology
  /** Its own, so that what it draws does not depend on what others do. */
  readonly random: Random
  /** Aborts when the run ends early: heal at once. */
  readonly signal: AbortSignal
  /** Something that the fault itself has seen and that must not be. */
  readonly violation: (line: string) => void
}

export type Fault = {
  /** Kebab-case. */
  readonly name: string
  /** How often it comes, beside others. */
  readonly weight: number
  /** One of these is hit: a part, ways as `broker-1→node-*`, or a group. */
  readonly targets: (shape: Shape) => readonly string[]
  /** No two faults that hold the same thing, or ways in common, are under way at once. */
  readonly holds: (target: string) => readonly string[]
  /** From the injection to its end, and what healing may take on top of it. */
  readonly durationMs: readonly [least: number, most: number]
  readonly healingMs: number
  /** Injects, waits, heals; resolves when what was hit is whole or ready again. */
  readonly run: (site: Site, target: string, durationMs: number) => Promise<void>
}
