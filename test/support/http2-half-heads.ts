/** A process of its own with a server of node:http2 alone and the client that attacks it; it collects at the end, if it gets there. */
import { performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { handleOf, keepSessionOf } from '../../src/http2/keeper.ts'
import { flags, frameClient, headers, post, windowUpdate } from './http2-frames.ts'

/** Without the argument the process may end before it gets there. */
const isKept = process.argv[2] === 'kept'

const server = createServer((socket) => {
  const session = performServerHandshake(socket)
  const handle = isKept ? handleOf(session) : undefined
  session.on('error', ignore)
  session.on('stream', (stream) => {
    if (handle !== undefined) keepSessionOf(stream, handle)
    stream.on('error', ignore)
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    send(stream)
  })
})

function send(stream: ServerHttp2Stream): void {
  const fill = (): void => {
    while (!stream.destroyed && stream.write(Buffer.alloc(16 * 1024)));
  }
  stream.on('drain', fill)
  fill()
}

function ignore(): void {
  // Peers that go are what this is about.
}

await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve)
})
const { port } = server.address() as AddressInfo
const streams = Array.from({ length: 10 }, (_, index) => index * 2 + 1)
// Literals that were taken in, and then a field that must not be: the rest of the head is never told.
const half = [
  ['x-one-literal-name', 'v'.repeat(1000)],
  ['x-other-literal', 'w'.repeat(1000)],
  [':path', 'x'],
] as const
for (let round = 0; round < 20; round += 1) {
  const client = await frameClient({ port, settings: [[4, 2 ** 31 - 1]] })
  client.send(windowUpdate(0, 2 ** 30))
  for (const stream of streams) client.send(post(stream))
  await delay(10)
  client.socket.pause()
  await delay(60)
  for (const stream of streams) client.send(headers(stream, half, flags.endHeaders | flags.endStream))
  await delay(20)
  client.socket.resetAndDestroy()
  await delay(10)
}
for (let round = 0; round < 4; round += 1) {
  globalThis.gc!()
  await delay(30)
}
process.exit(0)
