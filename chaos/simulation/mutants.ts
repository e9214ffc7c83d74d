import { parseKey } from '@almanac/shared'
import type { ICompare } from 'etcd3'
import type { Sabotage } from './etcd/etcd.ts'

const keyOf = ({ key }: ICompare) => key?.toString() ?? ''

/** A coordinator that does not compare what it was asked to compare. */
const without = (isLeftOut: (compare: ICompare) => boolean): Sabotage => ({
  alter: (request) => ({
    ...request,
    compare: request.compare.filter((compare) => !isLeftOut(compare)),
  }),
})

const isJob = (key: string) => parseKey(key).kind === 'job'

/** The record of what begins by itself, and the claim of who begins it. */
const isOf = (kind: string, claim: string) => (compare: ICompare) =>
  parseKey(keyOf(compare)).kind === kind || keyOf(compare) === `/claims/${claim}`

const isModel = (key: string) => /^\/models\/[^/]+\/[^/]+$/.test(key)

/**
 * Faults that are planted on purpose, by name: what each stands for in the code. A simulation that
 * does not notice them would not notice the like of them.
 */
export const mutants: Readonly<Record<string, Sabotage>> = {
  /** Promotions, targets and rollbacks without comparing the model's revision. */
  'model-not-compared': without((one) => one.target === 'Mod' && isModel(keyOf(one))),
  /** A node stores what it fitted though its claim is another's by now. */
  'claim-not-compared': without(
    (one) => one.target === 'Create' && keyOf(one).startsWith('/claims/'),
  ),
  /** A shard is claimed and said to be done whatever became of it since it was read. */
  'shard-not-compared': without(
    (one) =>
      (one.target === 'Mod' && parseKey(keyOf(one)).kind === 'shard') ||
      parseKey(keyOf(one)).kind === 'shard-claim',
  ),
  /** Who loses the claim while it reads a table hands over what it has read all the same. */
  'table-handed-over-without-claim': {
    alter: (request) => {
      const isHandOver = request.success.some(({ request_put: put }) => {
        const key = parseKey(put?.key?.toString() ?? '')
        return key.kind === 'version' && /"report":"/.test(put?.value?.toString() ?? '')
      })
      return isHandOver ? { ...request, compare: [] } : request
    },
  },
  /** An instant of a schedule is dealt with whatever became of the schedule since it was read. */
  'schedule-not-compared': without(isOf('schedule', 'schedules')),
  /** A rule has a model fitted again, and nothing tells that it did. */
  'rule-forgets': {
    alter: (request) => ({
      ...request,
      success: request.success.filter(
        ({ request_put: put }) =>
          parseKey(put?.key?.toString() ?? '').kind !== 'retraining' ||
          !request.success.some((one) => isJob(one.request_put?.key?.toString() ?? '')),
      ),
    }),
  },
  /** News, and fits of all data, are made of versions that are not the newest any more. */
  'refit-not-compared': without((one) =>
    ['counter', 'version'].includes(parseKey(keyOf(one)).kind),
  ),
  /** Versions are allocated without comparing the counter. */
  'counter-not-compared': without(
    (one) => keyOf(one).endsWith('/counter') || keyOf(one).includes('/versions/'),
  ),
  /** Now and then a fit is acknowledged and not recorded. */
  'acknowledged-and-forgotten': {
    forgets: ({ success }) => {
      const keys = success.map(({ request_put: put }) => put?.key?.toString() ?? '')
      const isFit = keys.some((key) => key.endsWith('/counter')) && keys.length > 2
      return isFit && keys.some((key) => /\/versions\/0*[3-9]$/.test(key))
    },
  },
}
