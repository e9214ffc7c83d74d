import type { ClusterState, Logger, Touched } from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import { createTargetAges } from './ages.ts'
import { type Action, decide, servingNodes } from './decide.ts'
import { type Executed, type ExecuteParts, execute } from './execute.ts'

/** Moves every model's rollout on, as far as what is seen allows. All brokers do; one wins. */
export type RolloutLoop = {
  readonly touch: (touched: Touched) => void
  readonly stop: () => void
}

export type RolloutParts = ExecuteParts & {
  readonly state: () => ClusterState
  /** How long the watch has been silent: what is old cannot be judged by its age. */
  readonly silentMs: () => number
  readonly clock: ExecuteParts['clock'] & { monotonicMs(): number }
  readonly bounds: ExecuteParts['bounds'] & Bounds
  readonly logger: Logger
  readonly onAction: (kind: Action['kind'], outcome: Executed['kind'] | 'unknown') => void
}

/** Patience and deadlines pass without any event: this is how soon that is noticed. */
const tickMs = 250

export function startRollouts(parts: RolloutParts): RolloutLoop {
  const { bounds, clock, logger } = parts
  const ages = createTargetAges()
  /** Models with a step under way, or done and not seen yet: the revision to wait for. */
  const busy = new Map<string, number>()
  /** Models that are rolling out: what the tick looks at. */
  const moving = new Set<string>()
  let lastSweepMs = clock.monotonicMs()
  let toSweep: string[] = []
  let sweepsAtOnce = 1

  const consider = (id: string) => {
    const state = parts.state()
    const held = state.models.get(id)
    if (held === undefined || held.value.deletedAt !== null) {
      moving.delete(id)
      return ages.forget(id)
    }
    const { target, serving, changes } = held.value
    const isMoving = target !== serving
    const nodes = servingNodes(state, id)
    const canProgress = nodes.length > 0 && parts.silentMs() < bounds.watchSilenceMs
    const name = isMoving ? `${target} ${changes}` : null
    const targetAgeMs = ages.observe(id, name, clock.monotonicMs(), canProgress)
    if (isMoving) moving.add(id)
    else moving.delete(id)
    if (state.revision < (busy.get(id) ?? 0)) return
    busy.delete(id)
    const versions = state.versions.get(id) ?? new Map()
    const action = decide({ record: held.value, versions, nodes, targetAgeMs }, bounds)
    if (action.kind === 'nothing') return
    void step(id, { of: nameOf(id), held, versions: new Map(versions) }, action)
  }
  const step = async (
    id: string,
    subject: Parameters<typeof execute>[1],
    action: Exclude<Action, { kind: 'nothing' }>,
  ) => {
    busy.set(id, Number.POSITIVE_INFINITY)
    const event = { model: id, version: action.version }
    try {
      const executed = await execute(parts, subject, action)
      parts.onAction(action.kind, executed.kind)
      if (executed.kind === 'applied') {
        busy.set(id, executed.revision)
        logger.info({ event: `rollout-${action.kind}`, ...event, ...reasonOf(action) })
      } else {
        // What overtook it is on its way here; the tick looks again in case it is not.
        busy.delete(id)
        moving.add(id)
        return
      }
    } catch (error) {
      busy.delete(id)
      moving.add(id)
      parts.onAction(action.kind, 'unknown')
      logger.warn({ event: 'rollout-step-unknown', ...event, cause: (error as Error).message })
      return
    }
    consider(id)
  }
  /** All models come by once a period, some each tick: ten thousand at once would be felt. */
  const sweep = () => {
    const nowMs = clock.monotonicMs()
    if (toSweep.length === 0 && nowMs - lastSweepMs >= bounds.reconcileMs) {
      lastSweepMs = nowMs
      toSweep = [...parts.state().models.keys()]
      sweepsAtOnce = Math.ceil((toSweep.length * tickMs) / bounds.reconcileMs)
    }
    return toSweep.splice(-sweepsAtOnce)
  }
  const timer = setInterval(() => {
    for (const id of new Set([...sweep(), ...moving])) consider(id)
  }, tickMs)
  timer.unref()
  return {
    touch: (touched) => {
      if (touched.all || touched.nodes.size > 0) {
        const ids = touched.all ? [...parts.state().models.keys()] : [...moving]
        for (const id of ids) consider(id)
      }
      for (const id of touched.models) consider(id)
    },
    stop: () => clearInterval(timer),
  }
}

function nameOf(id: string) {
  const [tenant = '', model = ''] = id.split('/')
  return { tenant, model }
}

function reasonOf(action: Action) {
  return action.kind === 'give-up' ? { reason: action.reason, detail: action.detail } : {}
}
