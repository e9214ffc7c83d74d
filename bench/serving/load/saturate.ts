import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { levelCount, levelStride, type Target } from '../target.ts'

export type Saturated = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly requests: number
}

const run = promisify(execFile)
/** More than any server answers in one run, so that no two runs share a level. */
const levelsPerRun = 40_000
let runs = 0

/** 32 connections that each ask again as soon as they were answered, every time another level. */
export async function saturate(
  target: Target,
  options: { readonly core: string; readonly seconds: number; readonly folder: string },
): Promise<Saturated> {
  const { core, seconds, folder } = options
  const script = join(folder, 'request.lua')
  await writeFile(script, lua(target, runs++ * levelsPerRun))
  const { stdout } = await run(
    'taskset',
    [
      ...['-c', core, 'wrk', '-t1', '-c32', `-d${seconds}s`, '--timeout', '30s', '--latency'],
      ...['-s', script, target.origin],
    ],
    { timeout: (seconds + 60) * 1_000 },
  )
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  if (/Non-2xx|Socket errors/.test(stdout) || !(requests > 0))
    throw new Error(`not every request to ${target.origin} was answered:\n${stdout}`)
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    requests,
  }
}

function lua({ method, path, body, headers }: Target, first: number): string {
  const fields = Object.entries(headers).map(([name, value]) => `["${name}"]=[[${value}]]`)
  const filled = (text: string) => `string.gsub([[${text}]], "LEVEL", level)`
  return `local n = ${first % levelCount}
local headers = {${fields.join(',')}}
request = function()
  n = n + 1
  local level = string.format("%.4f", 1 + (n * ${levelStride} % ${levelCount}) / 10000)
  local path = ${filled(path)}
  local body = ${filled(body)}
  return wrk.format("${method}", path, headers, body ~= "" and body or nil)
end
`
}

function milliseconds(match: RegExpExecArray | null): number {
  const factor = { us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? ''] ?? Number.NaN
  return Number(match?.[1]) * factor
}
