import { isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

/**
 * The address at which others reach a process that listens on `host`: the host itself when it is
 * one address, else the machine's first IPv4 that is not internal. Undefined where there is none.
 */
export function advertisedIp(host: string, interfaces: Interfaces): string | undefined {
  if (host === 'localhost') return '127.0.0.1'
  const concrete = isIP(host) !== 0 && host !== '0.0.0.0' && host !== '::'
  if (concrete) return host
  for (const addresses of Object.values(interfaces)) {
    const found = addresses?.find(({ family, internal }) => family === 'IPv4' && !internal)
    if (found) return found.address
  }
  return undefined
}
