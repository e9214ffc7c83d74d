import { installGoBinary } from '../../../deploy/local/go-binary.ts'

/** The version that go.mod pins. */
const version = '2.12.0'

/** The server of toxiproxy, built with Go when this machine has none yet: half a minute, once. */
export async function installToxiproxy(): Promise<string> {
  return await installGoBinary({
    name: 'toxiproxy',
    version,
    moduleDir: import.meta.dirname,
    package: 'github.com/Shopify/toxiproxy/v2/cmd/server',
    otherwise: '',
  })
}
