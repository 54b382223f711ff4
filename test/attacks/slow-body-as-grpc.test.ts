import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startTestUpstream } from '../harness/upstream.ts'

it('a body that calls itself gRPC has no longer to arrive than any other', async () => {
  await using upstream = await startTestUpstream()
  await using test = await startTestGateway(`
version: 1
limits: { requestTimeout: 1s }
upstreams: { items: { targets: ["${upstream.url}"] } }
routes: [{ id: all, match: { path: /* }, authenticate: none, upstream: items }]
`)
  const socket = connect(test.port, test.host)
  const from = Date.now()
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\nContent-Length: 1000\r\n\r\nx',
  )
  const drip = setInterval(() => socket.write('x'), 100)
  socket.on('error', () => undefined)
  const answer = await text(socket).finally(() => clearInterval(drip))
  expect(Date.now() - from).toBeLessThan(10_000)
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*grpc-status: 4\r\n/i)
  expect(upstream.requests.filter(({ complete }) => complete)).toEqual([])
})
