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

/** All of them at once. */
export const attacks: readonly Attack[] = [
  slowHeaders,
  slowBodies,
  silence,
  neverReading,
  neverReadingForLong,
  keptForNothing,
  hugeBodies,
  toldWhy,
  deepJson,
  gzipBomb,
  headerBombs,
  smuggling,
  pipelining,
  halfClosed,
  resets,
  otherProtocols,
]
