import { serveFits } from './serve.ts'

serveFits()
