import { storeConformance } from './conformance.ts'
import { startCqlBackend } from './cql-backend.ts'

storeConformance('the store on CQL', startCqlBackend)
