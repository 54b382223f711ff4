// Requests as a listener hands them over, without a socket behind them.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { Readable, type Duplex } from 'node:stream'
import type { AnswerWriter, ConnectionFacts, FieldLines, ServerRequest } from '../../../src/exchange.ts'
import type { Bench } from './gateway.ts'

/** A way in, and what its callers send. */
export interface Scenario {
  readonly name: string
  /** Requests in a round, where not any number will do and each takes long to make. */
  readonly most?: number
  /** Made of texts that nobody has seen before, as a parser would: a text that was looked up once is quicker the next time. */
  request(at: number): FakeRequest
}

export const scenarioNames = [
  'public',
  'api-key',
  'RS256 warm',
  'RS256 warm, limited',
  'either',
  'ES256 cold',
  'DPoP',
] as const

const callers = 100

export async function scenarios(bench: Bench, names: readonly string[]): Promise<Scenario[]> {
  const tokens = (await bench.keys.sign('RS256', callers)).map((token) => `Bearer ${token}`)
  const all: Record<string, () => Promise<Scenario> | Scenario> = {
    public: () => plain('public', '/public/items'),
    'api-key': () => plain('api-key', '/keys/items', 'x-api-key', bench.apiKeys),
    'RS256 warm': () => plain('RS256 warm', '/tokens/items', 'Authorization', tokens),
    'RS256 warm, limited': () => plain('RS256 warm, limited', '/limited/items', 'Authorization', tokens),
    either: () => plain('either', '/either/items', 'Authorization', tokens),
    'ES256 cold': () => cold(bench),
    DPoP: () => bound(bench),
  }
  const chosen: Scenario[] = []
  for (const name of names) chosen.push(await all[name]!())
  return chosen

  function plain(name: string, path: string, header?: string, values: readonly string[] = []): Scenario {
    const templates = Array.from({ length: 3000 }, (_, at) => {
      const credential = header === undefined ? [] : [header, values[at % values.length]!]
      return new Template(`${path}/${at % 1000}?page=${at % 7}`, clientFields(at, credential))
    })
    return { name, request: (at) => templates[at % templates.length]!.request(bench) }
  }
}

/** The bytes of a request. */
class Template {
  readonly #target: Buffer
  readonly #fields: readonly Buffer[]

  constructor(target: string, fields: FieldLines) {
    this.#target = Buffer.from(target, 'latin1')
    this.#fields = fields.map((text) => Buffer.from(text, 'latin1'))
  }

  request(bench: Bench): FakeRequest {
    const fields: string[] = []
    for (const bytes of this.#fields) fields.push(bytes.toString('latin1'))
    return new FakeRequest(bench, this.#target.toString('latin1'), fields)
  }
}

/** Known callers with new tokens: each is seen once. */
async function cold(bench: Bench): Promise<Scenario> {
  const ahead = 20_000
  const tokens = await bench.keys.sign('ES256', ahead, (number) => ({
    sub: `partner-${number % callers}`,
    jti: `cold-${number}`,
  }))
  let next = 0
  return {
    name: 'ES256 cold',
    most: 2_000,
    request(at) {
      const token = tokens[next++]
      if (token === undefined) throw new Error('fewer rounds: the tokens are used up')
      const fields = clientFields(at, ['Authorization', `Bearer ${token}`])
      return new Template(`/tokens/items/${at % 1000}`, fields).request(bench)
    },
  }
}

/** Several callers: the memory of proofs that were used holds 100,000 of one key. */
async function bound(bench: Bench): Promise<Scenario> {
  const makers = await Promise.all(Array.from({ length: 8 }, () => proofMaker(bench)))
  return {
    name: 'DPoP',
    most: 10_000,
    request(at) {
      const path = `/bound/items/${at % 1000}`
      const credential = makers[at % makers.length]!(path)
      return new Template(path, clientFields(at, credential)).request(bench)
    },
  }
}

async function proofMaker(bench: Bench): Promise<(path: string) => readonly string[]> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' }) as Record<string, string>
  const jwk = { crv, kty, x, y }
  const jkt = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url')
  const [token] = await bench.keys.sign('RS256', 1, { cnf: { jkt } })
  const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk })
  const ath = createHash('sha256').update(token!).digest('base64url')
  return (path) => {
    const jti = randomBytes(12).toString('hex')
    const htu = `http://api.example.com${path}`
    const claims = { jti, htm: 'GET', htu, iat: Math.floor(Date.now() / 1000), ath }
    const input = `${header}.${encode(claims)}`
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    const proof = `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
    return ['Authorization', `DPoP ${token}`, 'DPoP', proof]
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** Five to sixteen lines: curl, a service behind a tracer, a browser. */
function clientFields(at: number, credential: readonly string[]): FieldLines {
  const id = (at * 2_654_435_761) >>> 0
  const fields = [
    'Host',
    'api.example.com',
    'User-Agent',
    'catalog-client/2.1',
    'Accept',
    '*/*',
    ...credential,
  ]
  switch (at % 3) {
    case 0:
      return [...fields, 'Accept-Encoding', 'gzip, br', 'Connection', 'keep-alive']
    case 1:
      fields.push(
        'Accept-Encoding',
        'gzip',
        'X-Request-Id',
        `client-${id}`,
        'Content-Type',
        'application/json',
      )
      fields.push('traceparent', `00-${hex(id, 32)}-${hex(id + 1, 16)}-01`, 'tracestate', 'vendor=1')
      return fields
    default:
      fields.push('accept-encoding', 'gzip, deflate, br', 'accept-language', 'de-DE,de;q=0.9,en;q=0.8')
      fields.push('cache-control', 'no-cache', 'pragma', 'no-cache', 'referer', 'https://app.example.com/')
      fields.push(
        'sec-ch-ua',
        '"Chromium";v="140"',
        'sec-ch-ua-mobile',
        '?0',
        'sec-ch-ua-platform',
        '"Linux"',
      )
      fields.push('sec-fetch-dest', 'empty', 'sec-fetch-mode', 'cors', 'sec-fetch-site', 'same-site')
      return fields
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

const writer: AnswerWriter = {
  write: () => true,
  flush: () => undefined,
  onDrain: () => undefined,
  end: () => undefined,
  abort: () => undefined,
}

/** A request that is well-formed; `status` is what it was answered with, 0 so far. */
export class FakeRequest implements ServerRequest {
  readonly method = 'GET'
  readonly target: string
  readonly version = '1.1'
  readonly fields: FieldLines
  readonly connection: ConnectionFacts
  readonly hasBody = false
  readonly isUpgrade = false
  readonly receivedAt: number
  status = 0

  constructor({ snapshot }: Bench, target: string, fields: FieldLines) {
    this.target = target
    this.fields = fields
    this.receivedAt = Date.now()
    this.connection = { address: '192.0.2.10', port: 40_000, listener: snapshot.configuration.listeners[0]! }
  }

  limitBody(): void {}

  body(): Readable {
    return Readable.from([])
  }

  onAbort(): () => void {
    return () => undefined
  }

  answer(answer: { readonly status: number }): void {
    this.status = answer.status
  }

  inform(): void {}

  begin(head: { readonly status: number }): AnswerWriter {
    this.status = head.status
    return writer
  }

  tunnel(): Duplex {
    throw new Error('nothing here asks for an upgrade')
  }
}
