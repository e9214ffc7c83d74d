import { readFileSync, watchFile } from 'node:fs'

/** What is done to one process from inside; the file that says it is replaced whole. */
export type Controls = {
  /** From the real time to this process's. */
  readonly clockMs: number
  /** Live objects beside its own, with garbage collection to match. */
  readonly ballastMb: number
}

export const noControls: Controls = { clockMs: 0, ballastMb: 0 }

/** Reads the file now and whenever it changes. */
export function followControls(file: string, apply: (controls: Controls) => void): void {
  const look = () => apply({ ...noControls, ...(JSON.parse(readFileSync(file, 'utf8')) as object) })
  look()
  // Not by a signal: one that comes before anybody listens for it would end the process.
  watchFile(file, { interval: lookEveryMs, persistent: false }, look)
}

const lookEveryMs = 200
