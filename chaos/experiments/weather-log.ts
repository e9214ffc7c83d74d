import type { Disturbance, Weather } from '../invariants/disturbance.ts'
import type { Link, Part, Topology } from '../topology/topology.ts'

/** Does what harms and notes when: the invariants excuse what could not be helped, and no more. */
export type WeatherLog = {
  readonly weather: Weather
  /** What was done when, for people. */
  readonly lines: readonly string[]
  /** From before the work begins until the process is ready again. */
  readonly down: <T>(part: Part, what: string, work: () => Promise<T>) => Promise<T>
  /** From before the work begins until the ways are whole again, which is seen to at its end. */
  readonly onLinks: <T>(links: readonly Link[], what: string, work: () => Promise<T>) => Promise<T>
  readonly note: (line: string) => void
}

export function createWeatherLog(topology: Pick<Topology, 'brokers' | 'nodes'>): WeatherLog {
  const disturbances: Disturbance[] = []
  const lines: string[] = []
  const note = (line: string) => {
    lines.push(`at ${Math.round(performance.now())} ms ${line}`)
  }
  const namesOf = (parts: readonly Part[]) => parts.map(({ name }) => name)
  const { brokers, nodes } = topology
  // What lasts is disturbed without an end until it ends.
  const begin = (each: Disturbance) => {
    disturbances.push(each)
    return () => disturbances.splice(disturbances.indexOf(each), 1, { ...each, toMs: nowMs() })
  }
  return {
    weather: { brokers: namesOf(brokers), nodes: namesOf(nodes), disturbances },
    lines,
    note,
    down: async (part, what, work) => {
      note(`${part.name}: ${what}`)
      const end = begin({ kind: 'down', part: part.name, fromMs: nowMs(), toMs: forEver })
      const result = await work()
      end()
      note(`${part.name} is ready`)
      return result
    },
    onLinks: async (links, what, work) => {
      note(`${links.map(({ from, to }) => `${from} → ${to}`).join(', ')}: ${what}`)
      const ends = links.map(({ from, to }) =>
        begin({ kind: 'link', from, to, fromMs: nowMs(), toMs: forEver }),
      )
      try {
        return await work()
      } finally {
        // Whoever broke off has not healed them; a second time does no harm.
        await Promise.all(links.map((link) => link.heal()))
        for (const end of ends) end()
        note(`${what} is over`)
      }
    },
  }
}

const nowMs = () => performance.now()
const forEver = Number.POSITIVE_INFINITY
