/**
 * Seeds that once showed a bug, by experiment: they run first in every run of theirs. The commit
 * that mends what a seed has found adds it here, with what it was. A seed stays even when the
 * schedules have changed so that it shows something else: it costs one repetition.
 */
export const foundSeeds: Readonly<Record<string, readonly number[]>> = {
  'coordinator-agreement': [
    // A second revocation of a lease was answered before its keys were gone.
    20_571,
  ],
  simulation: [
    // One node whose connections broke three times was taken for three that a request had killed.
    268_852,
    // The wait for attempts to be given back, after a lease that had to end, was too long.
    8_995,
    // A broker whose watch said nothing was called well once it had looked a new model up: it did
    // not know yet who has it. The same where all nodes had been started again meanwhile.
    883_746, 908_525,
    // A fit of all data that was cancelled and retried lacked the news that had come meanwhile:
    // where its data had come at once, and where a node had joined its parts before.
    80, 325,
  ],
}

/** Those that found something, then fixed ones, and at last one that is new. */
export function seedsOf(name: string, repetitions: number, fresh: number): readonly number[] {
  if (repetitions === 0) return []
  const fixed = Array.from({ length: repetitions - 1 }, (_, i) => i + 1)
  return [...new Set([...(foundSeeds[name] ?? []), ...fixed, fresh])]
}
