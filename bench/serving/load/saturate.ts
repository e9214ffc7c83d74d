import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Wrk, wrk } from '../../wrk.ts'
import { levelCount, levelStride, type Target, takeLevels } from '../target.ts'

export type Saturated = Omit<Wrk, 'text'>

/** More than any server answers. */
const levelsPerSecond = 6_000

/** 32 connections that each ask again as soon as they were answered, every time another level. */
export async function saturate(
  target: Target,
  options: { readonly core: string; readonly seconds: number; readonly folder: string },
): Promise<Saturated> {
  const { core, seconds, folder } = options
  const script = join(folder, 'request.lua')
  await writeFile(script, lua(target, takeLevels(seconds * levelsPerSecond)))
  const more = ['--timeout', '30s', '-s', script]
  const { text: _, ...run } = await wrk({
    url: target.origin,
    core,
    seconds,
    graceSeconds: 60,
    more,
  })
  return run
}

function lua({ method, path, body, headers }: Target, first: number): string {
  const fields = Object.entries(headers).map(([name, value]) => `["${name}"]=[[${value}]]`)
  const filled = (text: string) => `string.gsub([[${text}]], "LEVEL", level)`
  return `local n = ${first}
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
