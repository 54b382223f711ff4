/**
 * Clients and upstreams that do everything that is allowed, and much that is not, at once and on connections that stay: whatever a
 * client takes for a whole answer is the answer to its own request, in order; nobody waits for ever; and nothing is left behind.
 * `PORTCULLIS_TEST_ROUNDS` makes it longer; `PORTCULLIS_TEST_SEED` draws the same numbers again, though not in the same order.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createStreamWatch } from '../../src/upstream/stream-watch.ts'
import { onEachDataPlane, until } from '../listener.ts'
import { rawClient, type RawAnswer, type RawClient } from '../raw-client.ts'
import { createAuthority, writePem } from '../support/certificates.ts'
import type { RawConnection } from '../support/raw-upstream.ts'
import { setUpRaw, setUpTargets } from '../support/upstream-setup.ts'

type Random = (below: number) => number

/** Numbers from a seed, so that a failure can be repeated. */
function numbersFrom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest()
  return (below) => {
    state = createHash('sha256').update(state).digest()
    return state.readUInt32BE(0) % below
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly body: string
  /** HTTP/1.0, which stays where its answer says so. */
  readonly isOld: boolean
  readonly bytes: string
}

const methods = ['GET', 'GET', 'GET', 'HEAD', 'DELETE', 'POST', 'POST', 'PUT'] as const

function chunked(random: Random, body: string): string {
  let text = ''
  for (let at = 0; at < body.length;) {
    const size = 1 + random(random(3) === 0 ? 3 : 20_000)
    const piece = body.slice(at, at + size)
    text += `${piece.length.toString(16)}${random(5) === 0 ? ';x=y' : ''}\r\n${piece}\r\n`
    at += size
  }
  return `${text}0\r\n\r\n`
}

function ask(random: Random, path: string, isLast: boolean): Asked {
  const method = methods[random(methods.length)]!
  const hasBody = method === 'POST' || method === 'PUT'
  const body = hasBody ? 'b'.repeat(random(3) === 0 ? random(150_000) : random(2000)) : ''
  const isOld = random(8) === 0
  const isChunked = hasBody && !isOld && random(2) === 0
  const expect100 = hasBody && random(10) === 0 ? 'Expect: 100-continue\r\n' : ''
  const framing = isChunked
    ? 'Transfer-Encoding: chunked\r\n'
    : hasBody
      ? `Content-Length: ${body.length}\r\n`
      : ''
  const close =
    isLast && random(2) === 0 ? 'Connection: close\r\n' : isOld ? 'Connection: keep-alive\r\n' : ''
  const head = `${method} ${path} HTTP/1.${isOld ? 0 : 1}\r\nHost: a\r\n${close}${expect100}${framing}\r\n`
  return { method, path, body, isOld, bytes: head + (isChunked ? chunked(random, body) : body) }
}

/** What an honest answer says. */
function echoOf(path: string, bytes: number): string {
  return `${path} ${bytes} ${'y'.repeat(path.length % 7 === 0 ? 200_000 : path.length % 5 === 0 ? 20_000 : 3)}`
}

/** Reads a request whole, or as far as it comes. @returns its body's length */
async function readBody(connection: RawConnection, head: string): Promise<number> {
  const from = connection.received.lastIndexOf(head) + head.length
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    await connection.until((received) => received.length >= from + Number(length))
    connection.skip(Number(length))
    return Number(length)
  }
  if (!/transfer-encoding: chunked/i.test(head)) return 0
  let at = from
  let total = 0
  for (;;) {
    await connection.until((received) => received.includes('\r\n', at))
    const line = connection.received.indexOf('\r\n', at)
    const size = Number.parseInt(connection.received.slice(at, line), 16)
    at = line + 2 + size + 2
    await connection.until((received) => received.length >= at)
    if (size === 0) break
    total += size
  }
  connection.skip(at - from)
  return total
}

function honest(random: Random, method: string, body: string): string {
  const isBodiless = method === 'HEAD'
  const extra = ['', '', 'Keep-Alive: timeout=0\r\n', 'Connection: close\r\n', 'Keep-Alive: timeout=5\r\n'][
    random(5)
  ]!
  const before = random(8) === 0 ? 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' : ''
  if (random(3) === 0)
    return `${before}HTTP/1.1 200 OK\r\n${extra}Transfer-Encoding: chunked\r\n\r\n${isBodiless ? '' : chunked(random, body)}`
  return `${before}HTTP/1.1 200 OK\r\n${extra}Content-Length: ${body.length}\r\n\r\n${isBodiless ? '' : body}`
}

/** A reset, where the connection is plain. */
function cut({ socket }: RawConnection): void {
  if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}

/** Answers honestly, in all ways there are; a misbehaving one only for the most part. */
function answering(random: Random, misbehaves: boolean) {
  return async (connection: RawConnection): Promise<void> => {
    connection.socket.setNoDelay(true)
    for (;;) {
      const head = await connection.head()
      const [, method = '', path = ''] = /^(\S+) (\S+)/.exec(head) ?? []
      const choice = misbehaves ? random(40) : 40
      if (choice === 0) {
        connection.send('HTTP/1.1 413 Early\r\nContent-Length: 0\r\n\r\n')
        if (random(2) === 0) connection.socket.end()
        return
      }
      const length = await readBody(connection, head)
      if (choice === 1) cut(connection)
      else if (choice === 2) connection.socket.end()
      else if (choice === 3) {
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n${path}`)
        await delay(random(3))
        cut(connection)
      } else if (choice === 4) connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok')
      else if (choice === 5) connection.send('HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n')
      else if (choice === 6) {
        connection.send(`HTTP/1.1 200 OK\r\n\r\n${method === 'HEAD' ? '' : echoOf(path, length)}`)
        connection.socket.end()
      } else if (choice === 7) connection.send('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      else {
        const answer = honest(random, method, echoOf(path, length))
        // In one packet: a surplus that comes after the next request was sent is that request's answer to any client there is.
        const all = choice === 8 ? `${answer}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled` : answer
        if (random(4) === 0 && choice !== 8) {
          const cut = random(all.length)
          connection.send(all.slice(0, cut))
          await delay(random(4))
          connection.send(all.slice(cut))
        } else connection.send(all)
        if (choice === 9) connection.socket.end()
      }
    }
  }
}

async function send(client: RawClient, random: Random, bytes: string): Promise<void> {
  for (let at = 0; at < bytes.length && !client.isClosed;) {
    const size = random(4) === 0 ? 1 + random(40) : 1 + random(100_000)
    client.send(bytes.slice(at, at + size))
    at += size
    if (random(4) === 0) await delay(random(3))
  }
}

async function sendAll(client: RawClient, random: Random, asked: readonly Asked[]): Promise<void> {
  await send(client, random, asked.map(({ bytes }) => bytes).join(''))
  if (random(4) === 0) client.end()
}

/** The next final answer. */
async function finalAnswer(client: RawClient, method: string): Promise<RawAnswer> {
  for (;;) {
    const answer = await client.answer(method)
    if (answer.status >= 200) return answer
  }
}

interface Tally {
  whole: number
  refused: number
  cut: number
}

/** @param mayBeCut whether the client itself may have left within a body that ends with the connection */
function judge({ body, fields }: RawAnswer, expected: string, mayBeCut: boolean): void {
  const text = body.toString()
  if (text === expected) return
  const isCut = mayBeCut && expected.startsWith(text) && !/content-length/i.test(fields.join())
  if (!isCut)
    throw new Error(
      `${text.length} bytes instead of ${expected.length}, ${text.slice(0, 80)} instead of ${expected.slice(0, 80)}, ${fields.join()}`,
    )
}

/** One connection from its first request to its end. */
async function converse(
  port: number,
  isSecure: boolean,
  random: Random,
  lane: string,
  tally: Tally,
  mayLeave: boolean,
): Promise<void> {
  const client = await rawClient({ port, patience: 10_000, ...(isSecure ? { tls: {} } : {}) })
  const count = 1 + random(6)
  const asked = Array.from({ length: count }, (_, index) =>
    ask(random, `/${lane}/${index}${'z'.repeat(random(9))}`, index === count - 1),
  )
  const isPipelined = random(2) === 0
  const leaves = mayLeave && random(12) === 0
  if (leaves) setTimeout(() => (random(2) === 0 && !isSecure ? client.reset() : client.destroy()), random(40))
  if (isPipelined) void sendAll(client, random, asked)
  if (random(6) === 0) {
    client.socket.pause()
    setTimeout(() => client.socket.resume(), random(60))
  }
  try {
    for (const { method, path, body, isOld, bytes } of asked) {
      if (!isPipelined) void send(client, random, bytes)
      const answer = await finalAnswer(client, method)
      if (answer.status === 200) {
        tally.whole += 1
        if (method !== 'HEAD') judge(answer, echoOf(path, body.length), leaves && isOld)
      } else {
        tally.refused += 1
        expect([413, 502, 503, 504]).toContain(answer.status)
      }
      if (isOld ? answer.field('connection') !== 'keep-alive' : answer.field('connection') === 'close') {
        expect((await client.ended()).length).toBe(0)
        break
      }
    }
  } catch (error) {
    // A cut answer, or a connection that could not go on; but never a wait without end, nor another's answer.
    if (!(error as Error).message.startsWith('the connection ended')) throw error
    tally.cut += 1
  } finally {
    client.destroy()
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'wire-chaos-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

/** TLS on both sides, under one authority. */
function security(): { readonly ca: string; readonly certificate: string; readonly key: string } {
  const path = folder()
  const authority = createAuthority('ours')
  const { certificate, key } = authority.issue([{ type: 'ip', value: '127.0.0.1' }])
  return {
    ca: writePem(path, 'ca.pem', authority.certificate),
    certificate: writePem(path, 'certificate.pem', certificate),
    key: writePem(path, 'key.pem', key),
  }
}

async function everybody(
  misbehave: boolean,
  isSecure: boolean,
): Promise<{ readonly seed: string; readonly tally: Tally }> {
  const seed = process.env['PORTCULLIS_TEST_SEED'] ?? randomBytes(8).toString('hex')
  const rounds = Number(process.env['PORTCULLIS_TEST_ROUNDS'] ?? 12)
  const random = numbersFrom(seed)
  const behave = answering(random, misbehave)
  const files = isSecure ? security() : undefined
  const tls =
    files === undefined ? undefined : { cert: readFileSync(files.certificate), key: readFileSync(files.key) }
  const upstreams = [await setUpRaw(behave, tls), await setUpRaw(behave, tls)]
  const watch = createStreamWatch({ now: () => Date.now() })
  const { server, upstream } = await setUpTargets(
    upstreams.map(({ url }) => url),
    {
      settings: {
        balance: 'least-requests',
        timeouts: { connect: 2000, response: misbehave ? 1500 : 8000 },
        ...(files === undefined ? {} : { tls: { ca: files.ca } }),
      },
      ...(files === undefined ? {} : { tls: { certificate: files.certificate, key: files.key, also: [] } }),
      hooks: { idleTimeout: misbehave ? 1500 : 8000 },
      deps: { watch },
    },
  )
  const tally: Tally = { whole: 0, refused: 0, cut: 0 }
  const lanes = Array.from({ length: 16 }, async (_, lane) => {
    for (let round = 0; round < rounds; round += 1)
      await converse(server.port, isSecure, random, `${lane}-${round}`, tally, misbehave)
  })
  try {
    await Promise.all(lanes)
  } catch (error) {
    throw new Error(`seed ${seed}, ${JSON.stringify(tally)}`, { cause: error })
  }
  await until(() => server.connections === 0)
  await until(() => upstream.state().inFlight === 0)
  const { targets } = upstream.state()
  await until(() => upstream.state().targets.every(({ inFlight }) => inFlight === 0))
  await until(() =>
    upstream.state().targets.every(({ connections }) => connections.open === connections.idle),
  )
  expect(watch.size).toBe(0)
  expect(targets).toHaveLength(2)
  expect(tally.whole, JSON.stringify({ seed, tally })).toBeGreaterThan(rounds * 16)
  return { seed, tally }
}

onEachDataPlane(() => {
  describe.each([
    ['in the clear', false],
    ['over TLS', true],
  ])('clients and upstreams %s', (_, isSecure) => {
    it('that do as they please get what is theirs, and leave nothing behind', async () => {
      const { tally } = await everybody(true, isSecure)
      expect(tally.refused).toBeGreaterThan(0)
    }, 120_000)

    it('that keep to the rules, in all ways there are, get all of it', async () => {
      const { seed, tally } = await everybody(false, isSecure)
      expect({ seed, ...tally }).toMatchObject({ refused: 0, cut: 0 })
    }, 120_000)
  })
})
