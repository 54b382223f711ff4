/** A process of its own with a listener in front of a service, so that a test sees when the process itself ends. */
import { BodyError } from '../../src/exchange.ts'
import { withoutHopByHop } from '../../src/engine/fields.ts'
import { startListener } from '../../src/server/start.ts'
import { createUpstream } from '../../src/upstream/upstream.ts'

const [url = ''] = process.argv.slice(2)
const limits = {
  headers: 16 * 1024,
  headerCount: 100,
  body: 10 * 1024 * 1024,
  headersTimeout: 2000,
  requestTimeout: 2000,
  idleTimeout: 2000,
}
const upstream = createUpstream(
  {
    name: 'catalog',
    targets: [{ url, weight: 1 }],
    protocol: 'h2c',
    balance: 'round-robin',
    timeouts: { connect: 500, response: 500 },
    retries: { attempts: 1 },
  },
  { clock: { now: () => Date.now() } },
)

const running = await startListener({
  dataPlane: 'wire',
  settings: {
    host: '127.0.0.1',
    port: 0,
    publicUrl: [],
    encodedSlashes: 'refuse',
    pathParameters: 'refuse',
    h2c: true,
  },
  limits: () => limits,
  clock: { now: () => Date.now() },
  handle(request) {
    const startedAt = Date.now()
    upstream.forward(
      request,
      {
        upstream: 'catalog',
        method: request.method,
        target: request.target,
        fields: withoutHopByHop(request.fields).filter(
          (_, index, all) => all[index - (index % 2)] !== 'host',
        ),
        host: undefined,
        hashKey: undefined,
        // Some streams are cut as if their credential had expired.
        deadline: request.target.length % 3 === 0 ? startedAt + 300 : Infinity,
        stillGood: () => true,
      },
      {
        decorate: (_, fields) => fields,
        settled(result) {
          if (result.outcome === 'refused') request.answer({ status: 502, fields: [], body: 'refused' })
        },
      },
    )
  },
  refuse: () => ({ status: 400, fields: [], body: 'refused' }),
  health: () => undefined,
  onFault(fault) {
    if (!(fault instanceof BodyError)) throw fault
  },
})
process.send!(running.port)
process.on('message', () =>
  process.send!({ connections: running.connections, inFlight: upstream.state().inFlight }),
)
process.on('disconnect', () => process.exit())
