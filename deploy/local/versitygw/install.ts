import { installGoBinary } from '../go-binary.ts'

/** The version that go.mod pins. */
const version = '1.8.0'

/** An object store over a folder, built with Go when this machine has none yet: minutes, once. */
export async function installVersitygw(): Promise<string> {
  return await installGoBinary({
    name: 'versitygw',
    version,
    moduleDir: import.meta.dirname,
    package: 'github.com/versity/versitygw/cmd/versitygw',
    otherwise: '',
  })
}
