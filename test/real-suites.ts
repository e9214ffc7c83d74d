import { execFileSync } from 'node:child_process'

/** Says, after `npm test`, what it did not run and how that is run. */
export function teardown(): void {
  const list = (pattern: string) =>
    execFileSync('git', ['ls-files', '-co', '--exclude-standard', pattern], { encoding: 'utf8' })
      .split('\n')
      .filter((file) => file !== '')
  const real = list('*.cluster.test.ts')
  const spark = list('*.spark.test.ts')
  const compose = list('*.compose.test.ts')
  const named = (files: readonly string[]) =>
    files.map((file) => `                         ${file}`).join('\n')
  process.stdout.write(`
Not run here, because they need real servers:
  npm run test:cluster   ${real.length} suites on real etcd and a real CQL database
${named(real)}
  npm run test:spark     ${spark.length} suites on a real Spark
${named(spark)}
  npm run test:compose   ${compose.length} suite on the images and docker-compose.yml, under podman
`)
}
