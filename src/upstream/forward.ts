/**
 * The way of one request to an upstream: picks a target, connects, tries, and tries again where that is safe. By callbacks, not
 * promises: on a connection that is there already everything happens in the call that began it.
 */
import type { Readable } from 'node:stream'
import type { UpstreamSettings } from '../configuration.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { ForwardPlan, ServerRequest } from '../exchange.ts'
import type { Clock } from '../ports/clock.ts'
import { Attempt } from './attempt.ts'
import type { AttemptHooks, AttemptResult } from './attempt-result.ts'
import type { Pick } from './balance.ts'
import { ConnectError } from './connect.ts'
import type { Connection, ConnectionFault, RequestFacts } from './connection.ts'
import type { Job } from './job.ts'
import type { Patience } from './patience.ts'
import { HeadError, framingOf } from './request-head.ts'
import { Retries, type Timekeeper } from './retry.ts'
import type { StreamWatch } from './stream-watch.ts'
import type { Target } from './target.ts'
import type { ForwardHooks } from './upstream.ts'
import { handshakeKey } from './websocket.ts'

export interface ForwardContext {
  readonly settings: UpstreamSettings
  readonly clock: Clock
  readonly pick: Pick
  readonly watch: StreamWatch
  readonly patience: Patience
  /** No try begins any more. */
  readonly isDestroyed: () => boolean
  /** A request is over. */
  readonly left: () => void
}

const usualIdleTimeout = 75_000

/** One request under way. */
export class Course implements Job, AttemptHooks, Timekeeper {
  readonly server: ServerRequest
  readonly plan: ForwardPlan
  readonly hooks: ForwardHooks
  readonly handshakeKey: string | undefined
  readonly timeouts: UpstreamSettings['timeouts']
  readonly idleTimeout: number
  readonly watch: StreamWatch
  readonly patience: Patience
  readonly #context: ForwardContext
  readonly #isUpgrade: boolean
  readonly #retries: Retries
  readonly #startedAt: number
  /** Targets that failed this request. */
  #tried: Set<Target> | undefined = undefined
  #headAt = -1
  /** Of the try under way. */
  #attempt: Attempt | undefined = undefined
  #target: Target | undefined = undefined
  #connection: Connection | undefined = undefined
  #isClientGone = false
  #isOver = false
  #stopListening: (() => void) | undefined = undefined

  constructor(context: ForwardContext, server: ServerRequest, plan: ForwardPlan, hooks: ForwardHooks) {
    const { settings, clock } = context
    this.server = server
    this.plan = plan
    this.hooks = hooks
    // HTTP/2 knows no upgrade: what asks for one is a request like any other, and may be answered.
    this.#isUpgrade = server.isUpgrade && settings.protocol === 'http1'
    this.handshakeKey = this.#isUpgrade ? handshakeKey(plan.fields) : undefined
    this.timeouts = settings.timeouts
    this.idleTimeout = hooks.idleTimeout ?? usualIdleTimeout
    this.watch = context.watch
    this.patience = context.patience
    this.patience.quicken(this.idleTimeout)
    this.#context = context
    this.#startedAt = clock.now()
    this.#retries = new Retries(plan.method, settings.retries.attempts, this)
  }

  /** Never throws: what goes wrong is told as a refusal. */
  begin(): void {
    try {
      this.#stopListening = this.server.onAbort(() => this.#leave())
      if (this.#isUpgrade && this.handshakeKey === undefined) {
        const detail = 'the WebSocket key is missing, repeated or malformed'
        this.#refuse(refuse('malformed_head', { detail }))
      } else this.#tryNext()
    } catch (error) {
      this.#fail(error)
    }
  }

  takeBody(): Readable {
    this.#retries.bodyTaken()
    return this.hooks.body?.() ?? this.server.body()
  }

  /** The client is gone. */
  #leave(): void {
    this.#isClientGone = true
    this.#attempt?.abandon()
  }

  #tryNext(): void {
    const target = this.#pickTarget()
    if (target !== undefined) {
      this.#try(target, false)
      return
    }
    const interval = this.#context.settings.health?.interval ?? 1_000
    const retryAfter = Math.max(1, Math.ceil(interval / 1_000))
    this.#refuse(refuse('no_healthy_target', { status: 503, retryAfter }))
  }

  /** @param isAfresh on a new connection */
  #try(target: Target, isAfresh: boolean): void {
    this.#target = target
    target.inFlight += 1
    // A tunnel has a connection of its own, on which each side may end by itself.
    const isOwn = isAfresh || this.#isUpgrade
    const idle = isOwn ? undefined : target.reuse()
    if (idle !== undefined) {
      this.#run(target, idle)
      return
    }
    target
      .connect(this.#isUpgrade)
      .then(
        (connection) => this.#run(target, connection),
        (error: unknown) => this.#connectFailed(target, error),
      )
      .catch((error: unknown) => this.#fail(error))
  }

  #connectFailed(target: Target, error: unknown): void {
    if (!(error instanceof ConnectError)) throw error
    this.#leaveTarget()
    target.failed(error.message)
    if (this.#retries.afterConnectFailure() === 'give-up') {
      this.#refuse(refuse(error.reason, { detail: `${target.url}: ${error.message}` }))
    } else this.#tryElsewhere(target)
  }

  #run(target: Target, connection: Connection): void {
    if (this.#isClientGone) {
      // Not kept: as long as nothing was sent on it nobody would notice that it was closed.
      connection.destroy()
      this.#refuse(refuse('client_gone'))
      return
    }
    if (this.#context.isDestroyed()) {
      connection.destroy()
      this.#refuse(refuse('connection_lost', { detail: 'the upstream is closed' }))
      return
    }
    this.#connection = connection
    const attempt = new Attempt(this, this.#requestTo(target), connection, target, this)
    this.#attempt = attempt
    try {
      attempt.start()
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  #requestTo(target: Target): RequestFacts {
    const { server, plan } = this
    return {
      method: plan.method,
      target: plan.target,
      host: plan.host ?? target.address.authority,
      fields: plan.fields,
      body: framingOf(server),
      isUpgrade: this.#isUpgrade,
    }
  }

  // What the try tells.

  declines(status: number): boolean {
    return this.#retries.declines(status)
  }

  headed(): void {
    this.#headAt = this.#context.clock.now()
  }

  settled(result: AttemptResult): void {
    const target = this.#target!
    this.#attempt = undefined
    this.#leaveTarget()
    try {
      switch (result.kind) {
        case 'answered':
          this.#finish({ outcome: 'answered', ...answeredFacts(result), upstreamMs: this.#upstreamMs() })
          break
        case 'refused':
          this.#refuse(result.refusal)
          break
        case 'declined':
          this.#tryElsewhere(target)
          break
        case 'lost':
          this.#lost(target, result.fault)
          break
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #lost(target: Target, fault: ConnectionFault): void {
    const isReused = this.#connection!.uses > 0
    const verdict = this.#retries.afterFailure({ isReused, fault })
    if (verdict === 'afresh') {
      if (this.#isClientGone) this.#refuse(refuse('client_gone'))
      else this.#try(target, true)
      return
    }
    target.failed(fault.detail)
    if (verdict === 'give-up') {
      this.#refuse(refuse('connection_lost', { detail: `${target.url}: ${fault.detail}` }))
    } else this.#tryElsewhere(target)
  }

  #tryElsewhere(failed: Target): void {
    if (this.#isClientGone) {
      this.#refuse(refuse('client_gone'))
      return
    }
    ;(this.#tried ??= new Set()).add(failed)
    this.#tryNext()
  }

  // The end.

  #refuse(refusal: Refusal): void {
    this.#finish({ outcome: 'refused', refusal, upstreamMs: this.#upstreamMs() })
  }

  /** A plan that no head can be written from, or a bug: nothing was sent, and nobody learns more than that. */
  #fail(error: unknown): void {
    const detail = error instanceof HeadError ? error.message : `forwarding failed: ${(error as Error).name}`
    this.#refuse(refuse('internal_error', { detail }))
  }

  #finish(result: Parameters<ForwardHooks['settled']>[0]): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leaveTarget()
    this.#stopListening?.()
    this.#context.left()
    this.hooks.settled(result)
  }

  #leaveTarget(): void {
    if (this.#target === undefined) return
    this.#target.inFlight -= 1
    this.#target = undefined
  }

  #upstreamMs(): number {
    return (this.#headAt === -1 ? this.#context.clock.now() : this.#headAt) - this.#startedAt
  }

  isInTime(): boolean {
    const { clock, isDestroyed } = this.#context
    return !isDestroyed() && clock.now() - this.#startedAt < this.timeouts.response
  }

  /** Prefers targets that did not fail this request and are not ejected; ejected ones are better than none, ones that the active check calls down are not. */
  #pickTarget(): Target | undefined {
    const { pick } = this.#context
    const key = this.plan.hashKey
    const tried = this.#tried
    const isFresh = tried === undefined ? isFit : (target: Target) => isFit(target) && !tried.has(target)
    return pick(isFresh, key) ?? pick(isFit, key) ?? pick(isUp, key)
  }
}

function isFit(target: Target): boolean {
  return target.isUp && !target.isEjected
}

function isUp(target: Target): boolean {
  return target.isUp
}

function answeredFacts({ status, bytes, cut }: AttemptResult & { kind: 'answered' }): {
  readonly status: number
  readonly bytes: number
  readonly cut?: NonNullable<typeof cut>
} {
  return cut === undefined ? { status, bytes } : { status, bytes, cut }
}
