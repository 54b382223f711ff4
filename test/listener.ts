/** A listener on a free loopback port for tests of what happens before the pipeline: it remembers what reached it and what was refused. */
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe } from 'vitest'
import type { LimitSettings, TlsSettings } from '../src/configuration.ts'
import type { Refusal } from '../src/engine/outcome.ts'
import { BodyError, type Answer, type ServerRequest } from '../src/exchange.ts'
import type { ListenerOptions, RunningListener } from '../src/server/listener.ts'
import { renderRefusal } from '../src/server/problem.ts'
import { startListener as startServer, type DataPlane } from '../src/server/start.ts'
import { rawClient, type RawClient, type RawClientOptions } from './raw-client.ts'

export interface TestListener {
  readonly running: RunningListener
  /** What reached `handle`. */
  readonly reached: ServerRequest[]
  /** Refusals of step 1. */
  readonly refused: Refusal[]
  readonly faults: unknown[]
  client(options?: Partial<RawClientOptions>): Promise<RawClient>
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestListenerOptions {
  /** Without it, the one that `PORTCULLIS_TEST_DATA_PLANE` names. */
  readonly dataPlane?: DataPlane
  readonly handle?: (request: ServerRequest) => void
  readonly limits?: Partial<LimitSettings>
  readonly tls?: TlsSettings
  readonly identityNames?: ReadonlySet<string>
  readonly onConnections?: (open: number) => void
  /** A PROXY header comes first; from loopback it is believed unless this says otherwise. */
  readonly proxyProtocol?: boolean
  readonly trustsPeer?: (address: string) => boolean
  /** HTTP/2 without TLS, too. */
  readonly h2c?: boolean
}

const defaults: LimitSettings = {
  headers: 16 * 1024,
  headerCount: 100,
  body: 10 * 1024 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  idleTimeout: 75_000,
}

export async function startListener(options: TestListenerOptions = {}): Promise<TestListener> {
  const reached: ServerRequest[] = []
  const refused: Refusal[] = []
  const faults: unknown[] = []
  const clients: RawClient[] = []
  const limits = { ...defaults, ...options.limits }
  const listenerOptions: ListenerOptions = {
    settings: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: [],
      encodedSlashes: 'refuse',
      pathParameters: 'refuse',
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      proxyProtocol: options.proxyProtocol ?? false,
      h2c: options.h2c ?? false,
    },
    limits: () => limits,
    clock: { now: () => Date.now() },
    trustsPeer: options.trustsPeer ?? ((address) => address === '127.0.0.1'),
    handle(request) {
      reached.push(request)
      ;(options.handle ?? echo)(request)
    },
    refuse(refusal, facts) {
      refused.push(refusal)
      return renderRefusal(refusal, { requestId: facts.requestId, method: facts.method ?? 'GET' })
    },
    health: (path) =>
      path === '/.portcullis/livez'
        ? { status: 200, fields: ['Content-Type', 'text/plain'], body: 'alive\n' }
        : undefined,
    ...(options.identityNames === undefined ? {} : { identityNames: () => options.identityNames! }),
    ...(options.onConnections === undefined ? {} : { onConnections: options.onConnections }),
    onFault: (fault) => faults.push(fault),
  }
  const running = await startServer({ ...listenerOptions, dataPlane: options.dataPlane ?? defaultPlane() })
  return {
    running,
    reached,
    refused,
    faults,
    async client(more = {}) {
      const client = await rawClient({ port: running.port, ...more })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy()
      await running.closed(0)
    },
  }
}

const dataPlanes = ['wire', 'node'] as const satisfies readonly DataPlane[]
let current: DataPlane | undefined

/** Runs the tests once on each data plane: what they say holds whichever is behind a listener. */
export function onEachDataPlane(define: (dataPlane: DataPlane) => void): void {
  describe.each(dataPlanes)('on the %s data plane:', (dataPlane) => {
    beforeAll(() => {
      current = dataPlane
    })
    define(dataPlane)
  })
}

/** The one that a test runs on; where it does not say, the default. */
export function defaultPlane(): DataPlane {
  return current ?? ((process.env['PORTCULLIS_TEST_DATA_PLANE'] ?? 'wire') as DataPlane)
}

/** Reads the body and tells what came. Body faults are answered as what they are. */
export function echo(request: ServerRequest): void {
  if (!request.hasBody) {
    request.answer(told(request, ''))
    return
  }
  readBody(request).then(
    (body) => request.answer(told(request, body)),
    (error: unknown) => {
      if (!(error instanceof BodyError)) throw error
      request.answer(renderRefusal(error.refusal, { requestId: 'test', method: request.method }))
    },
  )
}

export async function readBody(request: ServerRequest): Promise<string> {
  let text = ''
  for await (const chunk of request.body()) text += (chunk as Buffer).toString('latin1')
  return text
}

function told(request: ServerRequest, body: string): Answer {
  const { method, target, version } = request
  return {
    status: 200,
    fields: ['Content-Type', 'application/json'],
    body: JSON.stringify({ method, target, version, length: body.length, body: body.slice(0, 200) }),
  }
}

/** Waits until the condition holds; bounded. */
export async function until(condition: () => boolean, patience = 5000): Promise<void> {
  const deadline = performance.now() + patience
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await delay(5)
  }
}
