export type { NodeTiming } from './config/timing.ts'
export type { NodeRole } from './registration/own-records.ts'
export { type NodeOptions, type RunningNode, startNode } from './server/node.ts'
