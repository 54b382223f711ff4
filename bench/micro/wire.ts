// What moving one request costs in our own code: both parsers, both heads written, no socket and no kernel. `node bench/micro/wire.ts`
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ForwardPlan, ServerRequest } from '../../src/exchange.ts'
import type { ListenerOptions } from '../../src/server/listener.ts'
import { createWirePlane } from '../../src/server/wire/plane.ts'
import { Attempt } from '../../src/upstream/attempt.ts'
import type { Job } from '../../src/upstream/job.ts'
import { Patience } from '../../src/upstream/patience.ts'
import { framingOf } from '../../src/upstream/request-head.ts'
import { createStreamWatch } from '../../src/upstream/stream-watch.ts'
import { WireConnection } from '../../src/upstream/wire-connection.ts'

class DeafSocket extends EventEmitter {
  readonly destroyed = false
  readonly writable = true
  readonly writableNeedDrain = false
  readonly writableLength = 0
  readonly bytesWritten = 0
  readonly remoteAddress = '127.0.0.1'
  written = 0
  write(chunk: string | Uint8Array): boolean {
    this.written += chunk.length
    return true
  }
  pause(): this {
    return this
  }
  resume(): this {
    return this
  }
  destroy(): this {
    throw new Error('destroyed')
  }
}

const requestBytes = Buffer.from(
  [
    'GET /catalog/items?page=2 HTTP/1.1',
    'Host: 127.0.0.1:8080',
    `Authorization: Bearer ${'a'.repeat(700)}`,
    'User-Agent: bench',
    'Accept: application/json',
    'Accept-Encoding: gzip, deflate',
    '\r\n',
  ].join('\r\n'),
)
const responseBytes = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    'Server: upstream',
    'Date: Thu, 01 Jan 2026 00:00:00 GMT',
    'Content-Type: application/json',
    'Content-Length: 1024',
    'Connection: keep-alive',
    '',
    'x'.repeat(1024),
  ].join('\r\n'),
)

const clock = { now: () => Date.now() }
const limits = {
  headers: 16_384,
  headerCount: 100,
  body: 1e7,
  headersTimeout: 1e4,
  requestTimeout: 6e4,
  idleTimeout: 75e3,
}
const upstreamSocket = new DeafSocket()
const upstream = new WireConnection()
upstream.attach(upstreamSocket as unknown as Socket, true)
const patience = new Patience()
const watch = createStreamWatch(clock)
const target = { give(): void {}, succeeded(): void {} }
let answered = 0
const attemptHooks = {
  declines: () => false,
  settled: () => {
    answered += 1
  },
  headed(): void {},
}

function handle(server: ServerRequest): void {
  const fields: string[] = []
  const from = server.fields
  for (let index = 0; index < from.length; index += 2) {
    const name = from[index]!
    if (name !== 'Host' && name !== 'Authorization') fields.push(name, from[index + 1]!)
  }
  fields.push('X-Auth-Subject', 'alice', 'X-Forwarded-For', '127.0.0.1')
  const plan: ForwardPlan = {
    upstream: 'catalog',
    method: server.method,
    target: server.target,
    fields,
    host: undefined,
    hashKey: undefined,
    deadline: Infinity,
    stillGood: () => true,
  }
  const job: Job = {
    server,
    plan,
    hooks: { decorate: (_status, lines) => lines, settled(): void {} },
    handshakeKey: undefined,
    timeouts: { connect: 1000, response: 30_000 },
    idleTimeout: 75_000,
    watch,
    patience,
    takeBody: () => server.body(),
  }
  const request = {
    method: plan.method,
    target: plan.target,
    host: '127.0.0.1:7001',
    fields,
    body: framingOf(server),
    isUpgrade: false,
  }
  new Attempt(job, request, upstream, target, attemptHooks).start()
}

const options = { limits: () => limits, clock, handle, settings: {} } as unknown as ListenerOptions
const plane = createWirePlane(options)
const clientSocket = new DeafSocket()
plane.serve(clientSocket as unknown as Socket, { address: '127.0.0.1', port: 1, listener: {} } as never)

function rounds(count: number): number {
  const start = process.cpuUsage()
  for (let at = 0; at < count; at += 1) {
    clientSocket.emit('data', requestBytes)
    // No turn of the loop ends here, and an answer to what has not left is none.
    upstream.leave()
    upstreamSocket.emit('data', responseBytes)
  }
  // CPU of all threads, the collector's too: unlike the clock it does not see who else uses the machine.
  const { user, system } = process.cpuUsage(start)
  return (user + system) / count
}

const count = 100_000
rounds(count)
const results = Array.from({ length: 9 }, () => rounds(count)).toSorted((one, other) => one - other)
plane.stop()
if (answered !== count * 10) throw new Error(`${answered} of ${count * 10} were answered`)
console.log(
  `${results[4]!.toFixed(2)} CPU µs a request (${results[0]!.toFixed(2)} to ${results[8]!.toFixed(2)})`,
)
process.exit(0)
