import type { Attack } from './attack.ts'
import { deepJson, gzipBomb, headerBombs, hugeBodies, toldWhy } from './large.ts'
import { halfClosed, otherProtocols, pipelining, resets, smuggling } from './odd.ts'
import {
  keptForNothing,
  neverReading,
  neverReadingForLong,
  silence,
  slowBodies,
  slowHeaders,
} from './slow.ts'

/** The slow ones go on beside the others. */
export const attacks: readonly Attack[] = [
  slowHeaders,
  slowBodies,
  silence,
  neverReading,
  neverReadingForLong,
  keptForNothing,
  toldWhy,
  deepJson,
  gzipBomb,
  headerBombs,
  smuggling,
  pipelining,
  halfClosed,
  resets,
  otherProtocols,
  hugeBodies,
]
