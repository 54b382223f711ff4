/** gRPC through the gateway, with another implementation of it on both ends: calls of each kind, and how each way to end one looks. */
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestIssuer, type TestIssuer } from '../harness/issuer.ts'
import { until } from '../listener.ts'
import { createAuthority } from '../support/certificates.ts'

const authority = createAuthority('grpc authority')
const issued = authority.issue([
  { type: 'ip', value: '127.0.0.1' },
  { type: 'dns', value: 'gateway.example' },
])
const pem = Buffer.from(authority.certificate)

/** Messages are bytes here: what they mean is the service's business. */
const bytes = (value: Buffer): Buffer => value
const method = (name: string, requestStream: boolean, responseStream: boolean): object => ({
  path: `/shop.Catalog/${name}`,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
})
const service = {
  Get: method('Get', false, false),
  List: method('List', false, true),
  Put: method('Put', true, false),
  Chat: method('Chat', true, true),
  Fail: method('Fail', false, false),
  Slow: method('Slow', false, false),
}

interface Seen {
  readonly path: string
  readonly metadata: Metadata
  isCancelled: boolean
}
const seen: Seen[] = []

interface Call {
  readonly metadata: Metadata
  getPath(): string
  on(event: 'cancelled', listener: () => void): unknown
}

function note(call: Call): Seen {
  const made: Seen = { path: call.getPath(), metadata: call.metadata, isCancelled: false }
  call.on('cancelled', () => (made.isCancelled = true))
  seen.push(made)
  return made
}

function shop(): Server {
  const server = new Server()
  server.addService(service as never, {
    Get(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      note(call)
      const head = new Metadata()
      head.set('x-head', 'of the answer')
      call.sendMetadata(head)
      const trailer = new Metadata()
      trailer.set('x-trailer', 'of the answer')
      trailer.set('x-data-bin', Buffer.from([0, 1, 255]))
      done(null, call.request, trailer)
    },
    async List(call: ServerWritableStream<Buffer, Buffer>) {
      const { metadata } = note(call)
      const count = Number(metadata.get('x-count')[0] ?? 3)
      for (let index = 0; index < count && !call.cancelled; index += 1) {
        call.write(Buffer.from(`item ${String(index)}`))
        await delay(Number(metadata.get('x-pause')[0] ?? 0))
      }
      call.end()
    },
    Put(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      note(call)
      let size = 0
      call.on('data', (message: Buffer) => (size += message.length))
      call.on('end', () => done(null, Buffer.from(String(size))))
    },
    Chat(call: ServerDuplexStream<Buffer, Buffer>) {
      note(call)
      call.on('data', (message: Buffer) => call.write(Buffer.from(message.toString().toUpperCase())))
      call.on('end', () => call.end())
    },
    Fail(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      note(call)
      const trailer = new Metadata()
      trailer.set('x-why', 'because')
      done({ code: status.NOT_FOUND, details: 'no such item: größer', metadata: trailer })
    },
    Slow(call: ServerUnaryCall<Buffer, Buffer>) {
      note(call)
    },
  })
  return server
}

function bind(server: Server, isTls: boolean): Promise<number> {
  const secure = ServerCredentials.createSsl(null, [
    { cert_chain: Buffer.from(issued.certificate), private_key: Buffer.from(issued.key) },
  ])
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', isTls ? secure : ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
}

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await startTestIssuer()
})
afterAll(() => issuer.close())

describe.each([
  ['with TLS on both sides', true],
  ['without TLS on either side', false],
])('%s', (_, isTls) => {
  let backend: Server
  let test: TestGateway
  let client: Client
  beforeAll(async () => {
    backend = shop()
    const port = await bind(backend, isTls)
    const listener = isTls ? 'tls: { certificate: ./server.pem, key: ./server.key }' : 'h2c: true'
    const upstream = isTls
      ? `{ targets: ["https://127.0.0.1:${port}"], protocol: h2, tls: { ca: ./ca.pem } }`
      : `{ targets: ["http://127.0.0.1:${port}"], protocol: h2c }`
    test = await startTestGateway(
      `
version: 1
publicUrl: ${isTls ? 'https' : 'http'}://127.0.0.1
listeners: [{ address: "127.0.0.1:0", ${listener} }]
limits: { requestTimeout: 1s }
providers: { corp: { type: oidc, issuer: "${issuer.issuer}", clockSkew: 0s } }
authenticators:
  corp-token: { type: jwt, provider: corp, audience: https://api.example }
  keys: { type: api-key }
upstreams:
  shop: ${upstream}
  nobody: { targets: ["http://127.0.0.1:1"], protocol: h2c }
routes:
  - { id: shop, match: { path: /shop.Catalog/*, methods: [POST] }, authenticate: [corp-token, keys], authorize: { scopes: [items:read] }, upstream: shop }
  - { id: limited, match: { path: /shop.Limited/*, methods: [POST] }, authenticate: [corp-token], authorize: {}, rateLimit: { limit: 1/1h, key: route }, upstream: shop }
  - { id: nobody, match: { path: /shop.Nobody/*, methods: [POST] }, authenticate: none, upstream: nobody }
`,
      {
        files: {
          'server.pem': issued.certificate,
          'server.key': issued.key,
          'ca.pem': authority.certificate,
        },
      },
    )
    client = new Client(
      `127.0.0.1:${test.port}`,
      isTls ? credentials.createSsl(pem) : credentials.createInsecure(),
      // An address is no name for TLS.
      { 'grpc.ssl_target_name_override': 'gateway.example' },
    )
  })
  afterAll(async () => {
    client.close()
    await test.stop()
    backend.forceShutdown()
  })
  beforeEach(() => void seen.splice(0))

  const bearer = (claims: object = {}): Metadata => {
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${issuer.token({ scope: 'items:read', ...claims })}`)
    return metadata
  }

  interface Result {
    readonly reply: Buffer | undefined
    readonly error: ServiceError | undefined
    readonly head: Metadata | undefined
    readonly end: StatusObject
  }

  function unary(name: string, message: Buffer, metadata: Metadata, options: object = {}): Promise<Result> {
    return new Promise((resolve) => {
      let head: Metadata | undefined
      let outcome: Pick<Result, 'reply' | 'error'> | undefined
      let end: StatusObject | undefined
      const over = (): void => {
        if (outcome !== undefined && end !== undefined) resolve({ ...outcome, head, end })
      }
      const call = client.makeUnaryRequest(
        `/shop.${name}`,
        bytes,
        bytes,
        message,
        metadata,
        options,
        (error, reply) => {
          outcome = { reply, error: error ?? undefined }
          over()
        },
      )
      call.on('metadata', (each) => (head = each))
      call.on('status', (each) => {
        end = each
        over()
      })
    })
  }

  it('a call brings the identity to the service, and its answer, head and trailers to the client', async () => {
    const { reply, error, head, end } = await unary(
      'Catalog/Get',
      Buffer.from('ping'),
      bearer({ sub: 'alice' }),
    )
    expect(error).toBeUndefined()
    expect(reply?.toString()).toBe('ping')
    expect(head?.get('x-head')).toEqual(['of the answer'])
    expect(head?.get('x-request-id')).toHaveLength(1)
    expect(end.code).toBe(status.OK)
    expect(end.metadata.get('x-trailer')).toEqual(['of the answer'])
    expect(end.metadata.get('x-data-bin')).toEqual([Buffer.from([0, 1, 255])])
    const [{ metadata }] = seen as [Seen]
    expect(metadata.get('x-auth-subject')).toEqual(['alice'])
    expect(metadata.get('authorization')).toEqual([])
    expect(metadata.get('x-portcullis-assertion')).toHaveLength(1)
  })

  it('a large message passes both ways', async () => {
    const message = Buffer.alloc(3 * 1024 * 1024, 7)
    const { reply, error } = await unary('Catalog/Get', message, bearer())
    expect(error).toBeUndefined()
    expect(reply?.equals(message)).toBe(true)
  })

  it('a stream comes message by message', async () => {
    const metadata = bearer()
    metadata.set('x-pause', '30')
    const call = client.makeServerStreamRequest('/shop.Catalog/List', bytes, bytes, Buffer.from(''), metadata)
    const times: number[] = []
    const items: string[] = []
    for await (const item of call) {
      items.push((item as Buffer).toString())
      times.push(performance.now())
    }
    expect(items).toEqual(['item 0', 'item 1', 'item 2'])
    expect(times[2]! - times[0]!).toBeGreaterThan(40)
  })

  it('a stream goes message by message, for longer than other requests may', async () => {
    const reply = await new Promise<Buffer | undefined>((resolve, reject) => {
      const call = client.makeClientStreamRequest(
        '/shop.Catalog/Put',
        bytes,
        bytes,
        bearer(),
        (error, each) => (error === null ? resolve(each) : reject(error)),
      )
      void (async () => {
        for (let index = 0; index < 8; index += 1) {
          call.write(Buffer.from('12345'))
          await delay(200)
        }
        call.end()
      })()
    })
    expect(reply?.toString()).toBe('40')
  })

  it('both sides may talk in turn', async () => {
    const call = client.makeBidiStreamRequest('/shop.Catalog/Chat', bytes, bytes, bearer())
    const answers = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    for (const word of ['one', 'two', 'three']) {
      call.write(Buffer.from(word))
      expect((await answers.next()).value?.toString()).toBe(word.toUpperCase())
    }
    call.end()
    expect((await answers.next()).done).toBe(true)
  })

  it('a hundred calls at once are a hundred answers', async () => {
    const replies = await Promise.all(
      Array.from({ length: 100 }, (__, index) => unary('Catalog/Get', Buffer.from(String(index)), bearer())),
    )
    expect(replies.map(({ reply }) => reply?.toString())).toEqual(replies.map((__, index) => String(index)))
  })

  it("the service's own error arrives with its words and trailers", async () => {
    const { error } = await unary('Catalog/Fail', Buffer.from(''), bearer())
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'no such item: größer' })
    expect(error?.metadata.get('x-why')).toEqual(['because'])
  })

  it('a method that the service does not have is its to refuse', async () => {
    expect((await unary('Catalog/Unknown', Buffer.from(''), bearer())).error?.code).toBe(status.UNIMPLEMENTED)
  })

  it.each([
    ['no credential', 'Catalog/Get', () => new Metadata(), status.UNAUTHENTICATED],
    [
      'a bad credential',
      'Catalog/Get',
      () => {
        const metadata = new Metadata()
        metadata.set('authorization', 'Bearer nonsense')
        return metadata
      },
      status.UNAUTHENTICATED,
    ],
    [
      'an expired one',
      'Catalog/Get',
      () => bearer({ exp: 1_700_000_000, iat: 1_699_999_000 }),
      status.UNAUTHENTICATED,
    ],
    ['no scope', 'Catalog/Get', () => bearer({ scope: '' }), status.PERMISSION_DENIED],
    ['no route', 'Elsewhere/Get', () => bearer(), status.UNIMPLEMENTED],
    ['no service', 'Nobody/Get', () => new Metadata(), status.UNAVAILABLE],
  ] as const)('%s is told by a status, and no service hears of it', async (__, name, metadata, code) => {
    const { error } = await unary(name, Buffer.from('ping'), metadata())
    expect(error?.code).toBe(code)
    expect(error?.metadata.get('x-request-id')).toHaveLength(1)
    expect(seen).toEqual([])
  })

  it('more than a limit allows is told by a status', async () => {
    const codes = [
      await unary('Limited/Get', Buffer.from(''), bearer()),
      await unary('Limited/Get', Buffer.from(''), bearer()),
    ]
    expect(codes.map(({ error }) => error?.code)).toEqual([status.UNIMPLEMENTED, status.RESOURCE_EXHAUSTED])
  })

  it('a deadline reaches the service, and ends the call there, too', async () => {
    const { error } = await unary('Catalog/Slow', Buffer.from(''), bearer(), { deadline: Date.now() + 400 })
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED)
    await until(() => seen[0]?.isCancelled === true)
  })

  it('a call that its client gives up is given up at the service', async () => {
    const metadata = bearer()
    metadata.set('x-count', '1000')
    metadata.set('x-pause', '20')
    const call = client.makeServerStreamRequest('/shop.Catalog/List', bytes, bytes, Buffer.from(''), metadata)
    const code = await new Promise((resolve) => {
      call.once('data', () => call.cancel())
      call.on('error', (error: ServiceError) => resolve(error.code))
    })
    expect(code).toBe(status.CANCELLED)
    await until(() => seen[0]?.isCancelled === true)
  })

  function endOf(
    metadata: Metadata,
  ): Promise<{ readonly code: number; readonly at: number; readonly items: number }> {
    metadata.set('x-count', '100000')
    metadata.set('x-pause', '20')
    const call = client.makeServerStreamRequest('/shop.Catalog/List', bytes, bytes, Buffer.from(''), metadata)
    let items = 0
    call.on('data', () => (items += 1))
    return new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve({ code: error.code, at: Date.now(), items }))
      call.on('end', () => resolve({ code: status.OK, at: Date.now(), items }))
    })
  }

  it("a stream ends with its token's life, and says why", async () => {
    const exp = Math.floor(Date.now() / 1000) + 2
    const { code, at, items } = await endOf(bearer({ exp }))
    expect(code).toBe(status.UNAUTHENTICATED)
    expect(items).toBeGreaterThan(5)
    expect(at - exp * 1000).toBeLessThan(1500)
    await until(() => seen[0]?.isCancelled === true)
  })

  it('a stream ends when its key is revoked, and says why', async () => {
    const { key, id } = await test.gateway.keys.create({ owner: 'acme', scopes: ['items:read'] }, 'test')
    const metadata = new Metadata()
    metadata.set('x-api-key', key)
    const ended = endOf(metadata)
    await until(() => seen.length === 1)
    await delay(200)
    const from = Date.now()
    await test.gateway.keys.revoke(id, undefined, 'test')
    const { code, at } = await ended
    expect(code).toBe(status.UNAUTHENTICATED)
    expect(at - from).toBeLessThan(2000)
  })

  it('a call that sends for longer than its token lives ends, too', async () => {
    const exp = Math.floor(Date.now() / 1000) + 2
    const code = await new Promise((resolve) => {
      const call = client.makeClientStreamRequest(
        '/shop.Catalog/Put',
        bytes,
        bytes,
        bearer({ exp }),
        (error) => {
          clearInterval(timer)
          resolve(error?.code)
        },
      )
      const timer = setInterval(() => call.write(Buffer.from('12345')), 50)
    })
    expect(code).toBe(status.UNAUTHENTICATED)
    expect(Date.now() - exp * 1000).toBeLessThan(1500)
    await until(() => seen[0]?.isCancelled === true)
  })

  it('a stream whose service dies ends with a status', async () => {
    const other = shop()
    const port = await bind(other, isTls)
    const target = `${isTls ? 'https' : 'http'}://127.0.0.1:${port}`
    const tls = isTls ? ', tls: { ca: ./ca.pem }' : ''
    await using second = await startTestGateway(
      `
version: 1
listeners: [{ address: "127.0.0.1:0", h2c: true }]
upstreams: { shop: { targets: ["${target}"], protocol: ${isTls ? 'h2' : 'h2c'}${tls} } }
routes: [{ id: all, match: { path: /*, methods: [POST] }, authenticate: none, upstream: shop }]
`,
      { files: { 'ca.pem': authority.certificate } },
    )
    const near = new Client(`127.0.0.1:${second.port}`, credentials.createInsecure())
    const metadata = new Metadata()
    metadata.set('x-count', '1000')
    metadata.set('x-pause', '20')
    const call = near.makeServerStreamRequest('/shop.Catalog/List', bytes, bytes, Buffer.from(''), metadata)
    const code = await new Promise((resolve) => {
      call.once('data', () => other.forceShutdown())
      call.on('error', (error: ServiceError) => resolve(error.code))
    })
    expect(code).toBe(status.UNAVAILABLE)
    near.close()
  })
})
