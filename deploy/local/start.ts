/** Started by start.mjs. */
const usage = `Almanac: forecasts as a service.

  npm start -- [options]             a broker and its nodes in one process, nothing else needed
  npm start -- broker [options]      a broker of a cluster on etcd and a CQL database
  npm start -- model-api [options]   a node of such a cluster
  npm start -- broker --help         the options of a broker; likewise model-api

Every option can be given as a flag or in the environment.`

const [command, ...rest] = process.argv.slice(2)

if (command === 'broker' || command === 'model-api') {
  process.argv.splice(2, process.argv.length, ...rest)
  if (command === 'broker') await import('../../broker/src/main/main.ts')
  else await import('../../model-api/src/main/main.ts')
} else {
  const { settingsOrExit } = await import('@almanac/shared')
  const { checkOneMachine, oneMachineSettings, startOneMachine } = await import('./one-machine.ts')
  await startOneMachine(settingsOrExit(usage, oneMachineSettings, checkOneMachine))
}
