import type { Experiment } from '../experiment.ts'
import { readSamples } from '../model-bytes/samples.ts'
import { trySeeds } from '../model-bytes/worker-host.ts'

/**
 * Each repetition flips one bit, does one other damage to what a database holds of a model, and
 * gives spoilt bytes whose checksum fits to the decoder. The flips walk over all models of
 * `engine/test/golden`: a long run flips every bit of them.
 */
export const modelBytes: Experiment = {
  name: 'model-bytes',
  promise:
    'a stored model that is not what was written is never loaded, whatever differs; ' +
    'decoders refuse every flipped bit, and neither throw, hang nor grow on any bytes',
  repetitions: { landing: 10_000, long: 1_000_000 },
  timeoutMs: (repetitions) => 60_000 + repetitions * 20,
  async run({ seeds, log, signal }) {
    const before = process.memoryUsage.rss()
    const bits = readSamples().reduce((sum, { bytes }) => sum + bytes.length * 8, 0)
    const halves = [0, 1].map((odd) => seeds.filter((_, i) => i % 2 === odd))
    const results = await Promise.all(
      halves.map(async (half) => {
        const violations: string[] = []
        for (let from = 0; from < half.length; from += portion) {
          violations.push(...(await trySeeds(half.slice(from, from + portion), signal)))
          if (half.length > portion) log(`${from} of ${half.length}`)
        }
        return violations
      }),
    )
    const grownMegabytes = Math.round((process.resourceUsage().maxRSS * 1024 - before) / 2 ** 20)
    const violations = results.flat()
    if (grownMegabytes > megabytesMax)
      violations.push(`memory grew by ${grownMegabytes} MB for models of a few kB`)
    const bitsFlipped = Math.min(seeds.length, bits)
    return { violations, figures: { damages: seeds.length * 5, bits, bitsFlipped, grownMegabytes } }
  },
}

/** A thread for each: what it kept is gone with it. */
const portion = 50_000
/** Two threads with everything that a node loads, and as much garbage as they please. */
const megabytesMax = 700
