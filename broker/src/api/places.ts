import { Refused } from '@almanac/shared'
import type { FastifyReply } from 'fastify'

/** So many at once: a place is taken until the request is answered, or its client has left. */
export type Places = { takeUntilAnswered(reply: FastifyReply): void }

/** Who comes when all are taken is refused. */
export function createPlaces(
  what: 'uploads' | 'downloads' | 'looks' | 'predictions',
  placesMax: number,
): Places {
  let taken = 0
  return {
    takeUntilAnswered: ({ raw }) => {
      if (taken >= placesMax) {
        const detail = `As many ${what} as may be are under way.`
        throw new Refused(503, `too-many-${what}`, detail, { retryAfterSeconds: 1 })
      }
      taken += 1
      raw.once('close', () => {
        taken -= 1
      })
    },
  }
}
