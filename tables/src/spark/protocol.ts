import type { Client, ClientReadableStream, Metadata, ServiceError } from '@grpc/grpc-js'

/** What `connect.proto` says, as far as it is used. */
export type SparkService = Client & {
  executePlan: Streaming<PlanRequest>
  reattachExecute: Streaming<ReattachRequest>
  releaseExecute: Unary<ReleaseRequest>
  interrupt: Unary<Sender & { readonly interruptType: 'INTERRUPT_TYPE_ALL' }>
  releaseSession: Unary<Sender>
}

/** Whose session it is. */
export type Sender = {
  readonly sessionId: string
  readonly userContext: { readonly userId: string; readonly userName: string }
  readonly clientType: string
}

/** The server's own name for the session: one that has started anew then says so. */
type Known = { readonly clientObservedServerSideSessionId?: string }

type PlanRequest = Sender &
  Known & {
    readonly operationId: string
    readonly plan: Plan
    readonly requestOptions: readonly {
      readonly reattachOptions: { readonly reattachable: true }
    }[]
  }

export type Plan =
  | { readonly root: Relation }
  | { readonly command: { readonly sqlCommand: { readonly input: Relation } } }
type Relation = { readonly sql: { readonly query: string } }

type ReattachRequest = Sender &
  Known & { readonly operationId: string; readonly lastResponseId?: string }

/** Answers up to this one are needed no more, or none of them is. */
type ReleaseRequest = Sender & { readonly operationId: string } & (
    | { readonly releaseAll: Record<string, never> }
    | { readonly releaseUntil: { readonly responseId: string } }
  )

export type PlanResponse = {
  readonly serverSideSessionId: string
  readonly responseId: string
  /** A whole stream of Arrow: a schema and some rows. */
  readonly arrowBatch?: { readonly data: Uint8Array } | null
  /** There is no more. A stream that ends without it goes on in another one. */
  readonly resultComplete?: object | null
}

type Streaming<Request> = (
  request: Request,
  metadata: Metadata,
  options: { readonly deadline: number },
) => ClientReadableStream<PlanResponse>

type Unary<Request> = (
  request: Request,
  metadata: Metadata,
  options: { readonly deadline: number },
  done: (error: ServiceError | null) => void,
) => void
