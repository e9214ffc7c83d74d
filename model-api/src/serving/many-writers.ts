import type { Refused } from '@almanac/shared'
import { answerText, bytesOf } from './answer-text.ts'
import { makeArrowBatch } from './arrow-batch.ts'
import { csvGap, csvRows } from './csv-text.ts'
import type { Computed } from './forecasts.ts'
import type { ShardQuestion } from './question.ts'
import type { Times } from './timestamps.ts'

/** Writes forecasts of many series, one after the other, in one of the formats. */
export type ManyWriter = {
  readonly forecast: (key: string, computed: Computed, times: Times | undefined) => void
  readonly gap: (key: string, why: Refused) => void
  /** Characters of text so far. */
  readonly size: () => number
  readonly body: () => Buffer
}

/** For at most so many series. */
export async function writerFor(question: ShardQuestion, seriesMax: number): Promise<ManyWriter> {
  if (question.format !== 'arrow') return textWriter(question)
  const batch = makeArrowBatch(await import('apache-arrow'), question, seriesMax)
  return {
    forecast: (key, computed, times) => batch.add(key, computed, times?.instants),
    gap: (key, { code }) => batch.addGap(key, code),
    size: batch.textBytes,
    body: () => Buffer.concat([...(question.head ? [batch.head()] : []), batch.rows()]),
  }
}

function textWriter(question: ShardQuestion): ManyWriter {
  const parts: string[] = []
  let characters = 0
  const write = (part: string) => {
    parts.push(part)
    characters += part.length
  }
  const isCsv = question.format === 'csv'
  return {
    forecast: (key, computed, given) => {
      const times = given?.texts()
      if (isCsv) return write(csvRows(key, computed, question, times))
      for (const part of answerText(computed, question, times, key)) write(part)
      write('\n')
    },
    gap: (key, { code, message: detail }) => {
      if (isCsv) write(csvGap(key, question))
      else write(`${JSON.stringify({ series: key, error: { code, detail } })}\n`)
    },
    size: () => characters,
    body: () => bytesOf(parts),
  }
}
