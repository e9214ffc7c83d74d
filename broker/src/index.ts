export type { Upstream } from './routing/upstream.ts'
export { type Broker, type BrokerOptions, startBroker } from './server/broker.ts'
