export { type Broker, type BrokerOptions, startBroker } from './server/broker.ts'
