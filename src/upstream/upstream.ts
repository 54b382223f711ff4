/**
 * A named backend service: its targets, and the one way to send a request to it.
 * Start reading here, then `forward.ts` (the tries of a request) and `attempt.ts` (one try).
 */
import { randomInt } from 'node:crypto'
import type { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import type { SecureContext } from 'node:tls'
import type { UpstreamSettings } from '../configuration.ts'
import type { Refusal } from '../engine/outcome.ts'
import type { FieldLines, ForwardPlan, ServerRequest } from '../exchange.ts'
import type { Clock } from '../ports/clock.ts'
import type { Cut } from './attempt-result.ts'
import { createBalancer } from './balance.ts'
import { Course, type ForwardContext } from './forward.ts'
import { startHealthChecks } from './health.ts'
import { Patience } from './patience.ts'
import { createResolver, type NameSource } from './resolve.ts'
import { createStreamWatch, type StreamWatch } from './stream-watch.ts'
import { Target, type TargetHealth, type TargetState } from './target.ts'
import { readTlsFiles } from './tls-files.ts'

export { createStreamWatch, type StreamWatch } from './stream-watch.ts'
export type { NameSource } from './resolve.ts'
export type { TargetHealth, TargetState } from './target.ts'

export interface Upstream {
  readonly name: string
  readonly settings: UpstreamSettings
  /** Tells the outcome to `hooks.settled`, once. Never throws. */
  forward(server: ServerRequest, plan: ForwardPlan, hooks: ForwardHooks): void
  /** For the admin API and metrics. */
  state(): UpstreamState
  /**
   * Reads the TLS files again; connections that exist finish what they do and are not used again.
   * @throws when a file is missing or no PEM; the files read before stay in use
   */
  reloadTls(): void
  /** Ends checks and idle connections. Exchanges in flight, and those that still come from an old configuration, are served; resolves when none is left. */
  close(): Promise<void>
  /** Cuts everything that is in flight, tunnels too. */
  destroy(): void
}

export interface ForwardHooks {
  /** Edits the answer's end-to-end fields before they go out; for a tunnel, those of the 101. */
  decorate(status: number, fields: FieldLines): FieldLines
  /** Called once when the head of the answer went out. */
  onHead?(status: number): void
  /** Milliseconds that an answer may take without a byte; event streams and tunnels have no such bound. Default 75 s. */
  readonly idleTimeout?: number
  /** On `refused` nothing was sent to the client: the caller answers. Otherwise the answer is out, whole or visibly cut. */
  settled(result: ForwardResult): void
  /** The request's body where somebody read it already; undefined: it is the server's to give. Taken at most once. */
  body?(): Readable | undefined
}

export type ForwardResult =
  | {
      readonly outcome: 'answered'
      readonly status: number
      /** Milliseconds until the head of the answer. */
      readonly upstreamMs: number
      /** Of the answer's body. */
      readonly bytes: number
      /** Who cut the answer short, if it was. */
      readonly cut?: Cut
    }
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly upstreamMs: number }

export interface UpstreamState {
  readonly name: string
  readonly inFlight: number
  readonly targets: readonly TargetState[]
}

export interface UpstreamDeps {
  readonly clock: Clock
  /** What speaks HTTP/1.1 to targets. Default `wire`. */
  readonly dataPlane?: 'wire' | 'node'
  /** Told of each change in a target's health. */
  readonly onHealth?: (target: string, state: TargetHealth) => void
  /** 0 ≤ n < 1. */
  readonly random?: () => number
  /** One for the whole process, so that one timer watches all open streams; an own one where it is left out. */
  readonly watch?: StreamWatch
  /** Where target names come from; the system's resolver where it is left out. */
  readonly names?: NameSource
}

/** @throws when a TLS file cannot be read */
export function createUpstream(settings: UpstreamSettings, deps: UpstreamDeps): Upstream {
  const { clock } = deps
  const onHealth = (target: Target, state: TargetHealth): void => deps.onHealth?.(target.url, state)
  const usesTls = settings.targets.some(({ url }) => url.startsWith('https:'))
  let secureContext: SecureContext | undefined = usesTls ? readTlsFiles(settings.tls) : undefined

  const resolver = createResolver(
    clock,
    (name, addresses) => {
      for (const target of targets) {
        if (target.address.host === name) {
          target.retire((connection) => !addresses.has(connection.address))
        }
      }
    },
    deps.names,
  )
  const connectOptions = {
    resolver,
    timeout: settings.timeouts.connect,
    secureContext: () => secureContext,
    serverName: settings.tls?.serverName,
    protocols: settings.protocol === 'http1' ? ['http/1.1'] : ['h2'],
  }
  const targets: Target[] = settings.targets.map((each) => {
    const target: Target = new Target(each, connectOptions, {
      clock,
      speaks: settings.protocol === 'http1' ? (deps.dataPlane ?? 'wire') : 'http2',
      onHealth: (state) => onHealth(target, state),
    })
    return target
  })
  const pick = createBalancer(settings.balance, targets)
  const stopChecks =
    settings.health === undefined
      ? undefined
      : startHealthChecks(targets, settings.health, { onHealth, random: deps.random ?? randomFraction })
  const watch = deps.watch ?? createStreamWatch(clock)
  let isDestroyed = false
  const patience = new Patience()
  patience.quicken(settings.timeouts.response)
  let inFlight = 0
  let onIdle: (() => void) | undefined
  const context: ForwardContext = {
    settings,
    clock,
    pick,
    watch,
    patience,
    isDestroyed: () => isDestroyed,
    left() {
      inFlight -= 1
      if (inFlight === 0) {
        onIdle?.()
      }
    },
  }

  return {
    name: settings.name,
    settings,
    forward(server, plan, hooks) {
      inFlight += 1
      new Course(context, server, plan, hooks).begin()
    },
    state: () => ({ name: settings.name, inFlight, targets: targets.map((target) => target.state) }),
    reloadTls() {
      if (usesTls) {
        secureContext = readTlsFiles(settings.tls)
        for (const target of targets) {
          target.retire(() => true)
        }
      }
    },
    close() {
      stopChecks?.()
      for (const target of targets) {
        target.close()
      }
      if (inFlight === 0) {
        return Promise.resolve()
      }
      return new Promise((resolve) => {
        onIdle = resolve
      })
    },
    destroy() {
      isDestroyed = true
      stopChecks?.()
      for (const target of targets) {
        target.destroy()
      }
    },
  }
}

/** @returns whether an upstream made from the one can stand for the other, so that a reload keeps it with its connections */
export function isSameUpstream(one: UpstreamSettings, other: UpstreamSettings): boolean {
  return isDeepStrictEqual(one, other)
}

function randomFraction(): number {
  return randomInt(2 ** 32) / 2 ** 32
}
