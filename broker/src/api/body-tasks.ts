import { cutNews } from '../jobs/news.ts'
import { type FitBody, readFitBody } from './fit-body.ts'
import { type ObservationsBody, readObservationsBody } from './observations-body.ts'
import type { BodyFault } from './series-body.ts'

/** What is done to bodies, in a thread where they are large. All of it pure. */
export const bodyTasks = { readFitBody, readObservationsBody, cutNews }

export type BodyTasks = typeof bodyTasks
export type BodyTask = keyof BodyTasks

type Made = FitBody | ObservationsBody | BodyFault | ReturnType<typeof cutNews>

/** The memory that something made of a body holds, to be handed over as a whole. */
export function buffersOf(made: Made): ArrayBuffer[] {
  if (!('kind' in made)) return made.map(({ bytes }) => bytes.buffer)
  if (made.kind === 'fault') return []
  if (made.kind === 'fit') return buffersOfData(made)
  return made.news.kind === 'many' ? [made.news.bytes.buffer] : []
}

function buffersOfData({ data }: FitBody): ArrayBuffer[] {
  if (data.kind === 'one') return [data.dataset.buffer]
  if (data.kind === 'table') return []
  return data.shards.map(({ bytes }) => bytes.buffer)
}
