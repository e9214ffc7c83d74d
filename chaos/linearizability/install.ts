import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installGoBinary } from '../../deploy/local/go-binary.ts'

const moduleDir = join(import.meta.dirname, 'checker')

/** The checker, built with Go when this machine has none of this very source: seconds. */
export async function installChecker(): Promise<string> {
  const hash = createHash('sha256')
  for (const file of (await readdir(moduleDir)).toSorted())
    hash.update(`${file}\n`).update(await readFile(join(moduleDir, file)))
  return await installGoBinary({
    name: 'linearizability-checker',
    version: hash.digest('hex').slice(0, 12),
    moduleDir,
    package: '.',
    otherwise: '',
  })
}
