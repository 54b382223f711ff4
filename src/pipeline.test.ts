import { expect, it } from 'vitest'
import { ExchangeState } from './gateway/exchange-state.ts'
import type { Snapshot } from './gateway/snapshot.ts'
import type { ServerRequest } from './exchange.ts'
import { runPipeline, stages } from './pipeline.ts'
import { createGatewayMetrics } from './telemetry/gateway-metrics.ts'

it('decides in the order that the contract gives', () => {
  const order = stages.map(({ name }) => name)
  const inOrder = [
    'normalise',
    'match',
    'limit by address',
    'authenticate',
    'origin',
    'limit',
    'authorize',
    'propagate',
    'record',
    'forward',
  ]
  expect(order.filter((name) => inOrder.includes(name))).toEqual(inOrder)
})

it('neither throws nor leaves a promise behind when even the refusal cannot be answered', async () => {
  const unseen: unknown[] = []
  const note = (error: unknown): void => void unseen.push(error)
  process.on('unhandledRejection', note)
  const logged: string[] = []
  let tried = 0
  const server = {
    method: 'GET',
    target: '/%zz',
    fields: ['Host', 'x'],
    connection: { address: '127.0.0.1', listener: { encodedSlashes: 'refuse', pathParameters: 'refuse' } },
    receivedAt: 0,
    answer: () => {
      tried += 1
      throw new Error('broken')
    },
  } as unknown as ServerRequest
  const services = {
    audit: { record: () => Promise.reject(new Error('full')), fingerprint: () => '' },
    log: { error: (_facts: unknown, text: string) => void logged.push(text), debug: () => undefined },
    metrics: createGatewayMetrics(0),
  }
  runPipeline(new ExchangeState('id', server, { services } as unknown as Snapshot))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  // Its own refusal, that of the fault, and a bare one at last.
  expect(tried).toBe(3)
  expect(logged).toContain('the refusal could not be answered')
  expect(unseen).toEqual([])
})
