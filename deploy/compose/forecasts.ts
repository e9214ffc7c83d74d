import { Pool } from 'undici'

/** What became of one request. Status 0: there was no answer. */
export type Seen = { readonly status: number; readonly version: number; readonly text: string }

export type Forecasts = {
  /** Ends the stream after the last answer. */
  stop(): Promise<readonly Seen[]>
}

const tickMs = 10
const answerMs = 15_000

/**
 * A steady stream of forecasts, sent on time whatever became of those before. Each asks for a level
 * of its own, so that no cache answers it and a node must.
 */
export function startForecasts(url: string, perSecond: number): Forecasts {
  const pool = new Pool(url, { connections: 32 })
  const seen: Seen[] = []
  const open = new Set<Promise<void>>()
  const startedMs = performance.now()
  let sent = 0
  const one = async (level: string) => {
    try {
      const path = `/api/forecast/30?level=${level}`
      const signal = AbortSignal.timeout(answerMs)
      const { statusCode, headers, body } = await pool.request({ method: 'GET', path, signal })
      const version = Number(headers['x-model-version'] ?? 0)
      seen.push({ status: statusCode, version, text: await body.text() })
    } catch (error) {
      seen.push({ status: 0, version: 0, text: String(error) })
    }
  }
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * perSecond)
    for (; sent < due; sent++) {
      const request: Promise<void> = one(nextLevel()).finally(() => open.delete(request))
      open.add(request)
    }
  }, tickMs)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      await pool.close()
      return seen
    },
  }
}

/** The first few faults that differ, with the number of all: a report that can be read. */
export function faultsOf(seen: readonly Seen[], version: number): string[] {
  const faults = seen
    .filter((one) => one.status !== 200 || one.version !== version || !isWhole(one.text))
    .map((one) => `${one.status} version ${one.version}: ${one.text.slice(0, 200)}`)
  return faults.length === 0
    ? []
    : [`${faults.length} of ${seen.length}`, ...[...new Set(faults)].slice(0, 5)]
}

function isWhole(text: string): boolean {
  const { data, intervals } = JSON.parse(text) as { data?: number[]; intervals?: unknown[] }
  return data?.length === 30 && data.every(Number.isFinite) && intervals?.length === 1
}

let levels = 0

/** 50.0001, 50.0002, …: 499,999 of them, none asked twice by this process. */
function nextLevel(): string {
  levels += 1
  return (50 + levels / 10_000).toFixed(4)
}
