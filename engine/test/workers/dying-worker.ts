import { serveFits } from '../../workers/serve.ts'

/** A worker that dies of some series, as one that runs out of memory does. */
serveFits(({ series }) => {
  if (series.key?.startsWith('deadly') === true) process.exit(7)
})
