import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openScratch } from '../../../src/index.ts'

/** Puts something there, and says again and again whether it is there still, until it is ended. */
const [path = ''] = process.argv.slice(2)
const scratch = await openScratch({ path })
const folder = await scratch.make()
await writeFile(join(folder, 'table'), 'a,b')
process.stdout.write(`${folder}\n`)
setInterval(() => {
  process.stdout.write(existsSync(join(folder, 'table')) ? 'there\n' : 'gone\n')
}, 20)
