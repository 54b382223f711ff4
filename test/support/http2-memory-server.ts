/** A process of its own that serves HTTP/2 and tells what it holds in memory: in the process of a test, that would be the client's, too. */
import { BodyError } from '../../src/exchange.ts'
import { startListener } from '../../src/server/start.ts'

const limits = {
  headers: 16 * 1024,
  headerCount: 100,
  body: 10 * 1024 * 1024 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  idleTimeout: 75_000,
}

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
  /** Reads what is sent to `/read`, and lets the rest wait. */
  handle(request) {
    const body = request.body().on('error', (error) => {
      if (!(error instanceof BodyError)) throw error
    })
    if (request.target === '/read') body.resume()
  },
  refuse: () => ({ status: 400, fields: [], body: '' }),
  health: () => undefined,
})

process.on('message', () => void tell())

async function tell(): Promise<void> {
  // What a first collection finds to be over is given back by a second one.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  process.send!(heapUsed + arrayBuffers)
}

process.send!(running.port)
