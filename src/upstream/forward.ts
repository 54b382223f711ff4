/** The way of one request to an upstream: picks a target, connects, tries, and tries again where that is safe. */
import type { UpstreamSettings } from '../configuration.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { ForwardPlan, ServerRequest } from '../exchange.ts'
import type { Clock } from '../ports/clock.ts'
import { Attempt } from './attempt.ts'
import type { AttemptResult } from './attempt-result.ts'
import type { Pick } from './balance.ts'
import { ConnectError } from './connect.ts'
import type { Job } from './job.ts'
import { HeadError, framingOf, writeRequestHead } from './request-head.ts'
import { createRetries, type Retries } from './retry.ts'
import type { StreamWatch } from './stream-watch.ts'
import type { Target } from './target.ts'
import type { ForwardHooks, ForwardResult } from './upstream.ts'
import { handshakeKey } from './websocket.ts'
import type { Connection, RequestFacts } from './wire.ts'

export interface ForwardContext {
  readonly settings: UpstreamSettings
  readonly clock: Clock
  readonly pick: Pick
  readonly watch: StreamWatch
  /** No try begins any more. */
  readonly isDestroyed: () => boolean
}

const usualIdleTimeout = 75_000

/** One request under way. */
interface Course {
  readonly context: ForwardContext
  readonly job: Job
  readonly retries: Retries
  /** Targets that failed this request. */
  readonly tried: Set<Target>
  headAt: number | undefined
  /** The try under way. */
  attempt: Attempt | undefined
  isClientGone: boolean
}

export async function forwardRequest(
  context: ForwardContext,
  server: ServerRequest,
  plan: ForwardPlan,
  hooks: ForwardHooks,
): Promise<ForwardResult> {
  const startedAt = context.clock.now()
  const course = setOut(context, server, plan, hooks, startedAt)
  const stopListening = server.onAbort(() => {
    course.isClientGone = true
    course.attempt?.abandon()
  })
  let result: Refusal | (AttemptResult & { kind: 'answered' })
  try {
    result = await tryTargets(course)
  } catch (error) {
    // A plan that no head can be written from, or a bug: nothing was sent, and nobody learns more than that.
    const detail = error instanceof HeadError ? error.message : `forwarding failed: ${(error as Error).name}`
    result = refuse('internal_error', { detail })
  } finally {
    stopListening()
  }
  const upstreamMs = (course.headAt ?? context.clock.now()) - startedAt
  if ('kind' in result) {
    const { status, bytes, cut } = result
    return { outcome: 'answered', status, upstreamMs, bytes, ...(cut === undefined ? {} : { cut }) }
  }
  return { outcome: 'refused', refusal: result, upstreamMs }
}

function setOut(
  context: ForwardContext,
  server: ServerRequest,
  plan: ForwardPlan,
  hooks: ForwardHooks,
  startedAt: number,
): Course {
  const { settings, clock, watch } = context
  const retries = createRetries(
    plan,
    settings.retries.attempts,
    () => !context.isDestroyed() && clock.now() - startedAt < settings.timeouts.response,
  )
  const job: Job = {
    server,
    plan,
    hooks,
    framing: framingOf(server),
    handshakeKey: server.isUpgrade ? handshakeKey(plan.fields) : undefined,
    timeouts: settings.timeouts,
    idleTimeout: hooks.idleTimeout ?? usualIdleTimeout,
    watch,
    takeBody() {
      retries.bodyTaken()
      return hooks.body?.() ?? server.body()
    },
  }
  return {
    context,
    job,
    retries,
    tried: new Set(),
    headAt: undefined,
    attempt: undefined,
    isClientGone: false,
  }
}

async function tryTargets(course: Course): Promise<Refusal | (AttemptResult & { kind: 'answered' })> {
  const { job, tried } = course
  if (job.server.isUpgrade && job.handshakeKey === undefined) {
    return refuse('malformed_head', { detail: 'the WebSocket key is missing, repeated or malformed' })
  }
  let target = pickTarget(course)
  let isAfresh = false
  while (target !== undefined) {
    target.inFlight += 1
    const current = target
    const result = await tryTarget(course, target, isAfresh).finally(() => {
      current.inFlight -= 1
    })
    if (result.kind === 'answered') {
      return result
    }
    if (result.kind === 'refused') {
      return result.refusal
    }
    if (course.isClientGone) {
      return refuse('client_gone')
    }
    isAfresh = result.kind === 'again'
    if (!isAfresh) {
      tried.add(target)
      target = pickTarget(course)
    }
  }
  const { health } = course.context.settings
  return refuse('no_healthy_target', {
    status: 503,
    retryAfter: Math.max(1, Math.ceil((health?.interval ?? 1_000) / 1_000)),
  })
}

/** `again`: on a new connection to the same target; `next`: on another target if there is one. */
type TryResult =
  | (AttemptResult & { kind: 'answered' | 'refused' })
  | { readonly kind: 'again' }
  | { readonly kind: 'next' }

async function tryTarget(course: Course, target: Target, isAfresh: boolean): Promise<TryResult> {
  const { job, retries } = course
  const request = requestTo(target, job)
  let connection: Connection
  try {
    // A tunnel has a connection of its own, on which each side may end by itself.
    const isOwn = isAfresh || job.server.isUpgrade
    connection = (isOwn ? undefined : target.reuse()) ?? (await target.connect(job.server.isUpgrade))
  } catch (error) {
    if (!(error instanceof ConnectError)) {
      throw error
    }
    target.failed(error.message)
    return retries.afterConnectFailure() === 'give-up'
      ? { kind: 'refused', refusal: refuse(error.reason, { detail: `${target.url}: ${error.message}` }) }
      : { kind: 'next' }
  }
  if (course.isClientGone) {
    // Not kept: as long as nothing was sent on it nobody would notice that it was closed.
    connection.destroy()
    return { kind: 'refused', refusal: refuse('client_gone') }
  }
  if (course.context.isDestroyed()) {
    connection.destroy()
    return { kind: 'refused', refusal: refuse('connection_lost', { detail: 'the upstream is closed' }) }
  }
  const result = await runAttempt(course, target, connection, request)
  if (result.kind === 'declined') {
    return { kind: 'next' }
  }
  if (result.kind !== 'lost') {
    return result
  }
  const verdict = retries.afterFailure({ isReused: connection.uses > 0, fault: result.fault })
  if (verdict === 'afresh') {
    return { kind: 'again' }
  }
  target.failed(result.fault.detail)
  return verdict === 'give-up'
    ? {
        kind: 'refused',
        refusal: refuse('connection_lost', { detail: `${target.url}: ${result.fault.detail}` }),
      }
    : { kind: 'next' }
}

function requestTo(target: Target, { server, plan, framing }: Job): RequestFacts {
  const { method, fields } = plan
  const host = plan.host ?? target.address.authority
  const { isUpgrade } = server
  const head = writeRequestHead({ method, target: plan.target, host, fields, body: framing, isUpgrade })
  return { method, head, isUpgrade }
}

function runAttempt(
  course: Course,
  target: Target,
  connection: Connection,
  request: RequestFacts,
): Promise<AttemptResult> {
  const { job, retries, context } = course
  return new Promise((resolve) => {
    course.attempt = new Attempt(job, request, connection, {
      declines: (status) => retries.declines(status),
      settled(result) {
        course.attempt = undefined
        resolve(result)
      },
      reusable: () => target.give(connection),
      headed() {
        course.headAt = context.clock.now()
        target.succeeded()
      },
    })
    course.attempt.start()
  })
}

/** Prefers targets that did not fail this request and are not ejected; ejected ones are better than none, ones that the active check calls down are not. */
function pickTarget({ context: { pick }, tried, job: { plan } }: Course): Target | undefined {
  const key = plan.hashKey
  return (
    pick((target) => target.isUp && !target.isEjected && !tried.has(target), key) ??
    pick((target) => target.isUp && !target.isEjected, key) ??
    pick((target) => target.isUp, key)
  )
}
