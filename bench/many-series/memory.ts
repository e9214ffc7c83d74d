import { readdirSync, readFileSync } from 'node:fs'

export type Watched = { readonly name: string; readonly pid: number | undefined }

/** The most that processes have had in memory, and those that they started in turn. */
export function watchMemory(processes: readonly Watched[]) {
  const peaksMb = new Map<string, number>()
  const note = (name: string, mb: number) => peaksMb.set(name, Math.max(mb, peaksMb.get(name) ?? 0))
  const look = () => {
    for (const { name, pid } of processes) {
      if (pid === undefined) continue
      note(name, peakMb(pid))
      for (const child of childrenOf(pid)) note(`${name}, its table`, peakMb(child))
    }
  }
  const timer = setInterval(look, 500)
  return {
    peaksMb: () => {
      look()
      return Object.fromEntries(peaksMb)
    },
    stop: () => clearInterval(timer),
  }
}

function peakMb(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024)
  } catch {
    // It has ended.
    return 0
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    )
  } catch {
    return []
  }
}
