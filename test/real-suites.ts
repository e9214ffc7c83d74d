import { execFileSync } from 'node:child_process'

/** Says, after `npm test`, what it did not run and how that is run. */
export function teardown(): void {
  const list = (pattern: string) =>
    execFileSync('git', ['ls-files', '-co', '--exclude-standard', pattern], { encoding: 'utf8' })
      .split('\n')
      .filter((file) => file !== '')
  const real = list('*.cluster.test.ts')
  const compose = list('*.compose.test.ts')
  process.stdout.write(`
Not run here, because they need real servers:
  npm run test:cluster   ${real.length} suites on real etcd and a real CQL database
${real.map((file) => `                         ${file}`).join('\n')}
  npm run test:compose   ${compose.length} suite on the images and docker-compose.yml, under podman
`)
}
