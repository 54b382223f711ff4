import type { CredentialFacts, Identity } from '../engine/identity.ts'
import type { Proof } from '../engine/authenticate.ts'
import type { Presented } from '../engine/authenticators/authenticator.ts'
import type { Absent, Refusal } from '../engine/outcome.ts'
import type { GatewayRequest } from '../engine/request.ts'
import type { RouteSettings } from '../configuration.ts'
import type { Exchange, ForwardPlan, LimitState, ServerRequest } from '../exchange.ts'
import type { RequestSpan } from '../telemetry/trace.ts'
import type { ClientFacts } from '../server/forwarded.ts'
import type { BackendToken } from './backend-tokens.ts'
import type { HeldBody } from './held-body.ts'
import type { CompiledRoute, Snapshot } from './snapshot.ts'

const none: readonly never[] = Object.freeze([])

/** Stands in until the target is normalised: no stage but the first ever sees it. */
const unread: GatewayRequest = Object.freeze({
  method: '',
  path: '',
  query: '',
  host: '',
  scheme: 'http',
  clientIp: '',
  target: '',
  publicOrigin: undefined,
  certificate: undefined,
  hasBody: false,
  header: () => undefined,
  count: () => 0,
  values: () => none,
  names: () => none,
})

/** One request in flight. Every member is there from the start, so that all exchanges share one shape. */
export class ExchangeState implements Exchange {
  readonly id: string
  readonly server: ServerRequest
  /** The configuration that it began under; a reload does not touch it. */
  readonly snapshot: Snapshot
  /** `performance.now()` at its start. */
  readonly startedAt: number
  request: GatewayRequest = unread
  client: ClientFacts | undefined = undefined
  route: RouteSettings | undefined = undefined
  compiled: CompiledRoute | undefined = undefined
  identity: Identity | undefined = undefined
  credential: CredentialFacts | undefined = undefined
  presented: readonly Presented[] = none
  proofs: readonly Proof[] = none
  limits: LimitState[] = []
  refusal: Refusal | undefined = undefined
  /** The authenticator that judged a refused credential, and what may be told of that credential. */
  judgedBy: string | undefined = undefined
  judged: Presented | undefined = undefined
  judgedId: string | undefined = undefined
  /** A cookie that counts as not sent, for the answer and the log. */
  absent: Absent | undefined = undefined
  /** What a report-only rule would have refused. */
  report: { readonly stage: string; readonly reason: string } | undefined = undefined
  traceparent: string | undefined = undefined
  tracestate: string | undefined = undefined
  span: RequestSpan | undefined = undefined
  /** The token that was got for the upstream. */
  backendToken: BackendToken | undefined = undefined
  plan: ForwardPlan | undefined = undefined
  /** The body, where it had to be read before it may go on. */
  heldBody: HeldBody | undefined = undefined
  /** Set once the one decision event is handed to the log. */
  isRecorded = false
  /** The name of the stage that is running, for the audit event's type. */
  stage = 'accept'
  decisionMs = 0

  constructor(id: string, server: ServerRequest, snapshot: Snapshot) {
    this.id = id
    this.server = server
    this.snapshot = snapshot
    this.startedAt = performance.now()
  }
}
