/** Somebody on the way who has a partner's signed request, and wants another one; and somebody who has none. */
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startTestUpstream, type TestUpstream } from '../harness/upstream.ts'
import { exchange } from '../support/raw-client.ts'
import { callers, digestOf, edCaller, sign, type Message, type Signing } from '../support/signed-request.ts'

let upstream: TestUpstream
let test: TestGateway

beforeAll(async () => {
  upstream = await startTestUpstream()
  const rsa = callers.find(({ id }) => id === 'rsa')!
  test = await startTestGateway(
    `
version: 1
lockout: off
authenticators:
  partners:
    type: http-signature
    keys:
      - { id: ed, algorithm: ed25519, key: "\${file:ed.key}", owner: acme }
      - { id: rsa, algorithm: rsa-v1_5-sha256, key: "\${file:rsa.key}", owner: globex }
  thorough:
    type: http-signature
    components: ["@method", "@target-uri", "content-type", "x-amount"]
    keys: [{ id: ed, algorithm: ed25519, key: "\${file:ed.key}", owner: acme }]
  by-parameter:
    type: http-signature
    components: ["@method", "@authority", "@path", '@query-param;name="account"']
    keys: [{ id: ed, algorithm: ed25519, key: "\${file:ed.key}", owner: acme }]
upstreams:
  orders: { targets: ["${upstream.url}"] }
routes:
  - { id: orders, match: { path: /orders/* }, authenticate: [partners], upstream: orders }
  - { id: pay, match: { path: /pay }, authenticate: [thorough], upstream: orders }
  - { id: account, match: { path: /account }, authenticate: [by-parameter], upstream: orders }
`,
    { files: { 'ed.key': edCaller.shown, 'rsa.key': rsa.shown } },
  )
})

afterAll(async () => {
  await test.stop()
  await upstream.close()
})

beforeEach(() => {
  upstream.requests.length = 0
})

describe('a request that was changed on its way', () => {
  const good = '/orders/7?amount=1'

  it.each([
    ['another method', { method: 'DELETE' }],
    ['another path', { target: '/orders/8?amount=1' }],
    ['another query', { target: '/orders/7?amount=100' }],
    ['no query', { target: '/orders/7' }],
    ['a question mark more', { target: '/orders/7?amount=1?' }],
    ['one parameter more', { target: '/orders/7?amount=1&amount=100' }],
    ['an equal path with a doubled slash', { target: '/orders//7?amount=1' }],
    ['an equal path with dots', { target: '/orders/x/../7?amount=1' }],
    ['an equal path with an escape', { target: '/orders/%37?amount=1' }],
    ['another host', { host: 'other.example' }],
    ['another port', { host: '127.0.0.1:1' }],
  ])('is refused: %s', async (_what, change) => {
    const answer = await raw(await signNow('GET', good), change)
    // Where the head itself is no good, nobody looks at the signature.
    expect(answer.slice(9, 12)).toMatch(/^40[01]$/)
    expect(upstream.requests).toEqual([])
  })

  it('is let in when it was not', async () => {
    expect(await raw(await signNow('GET', good), {})).toMatch(/^HTTP\/1\.1 200/)
    expect(upstream.requests[0]!.url).toBe('/orders/7?amount=1')
  })

  it('goes on by the path that was signed, whatever the form in which it was signed', async () => {
    const signed = await signNow('GET', '/orders/a/../%37')
    expect(await raw(signed, {})).toMatch(/^HTTP\/1\.1 200/)
    expect(upstream.requests[0]!.url).toBe('/orders/7')
  })
})

describe('a covered field', () => {
  const headers = { 'content-type': 'application/json', 'x-amount': '1' }
  const fields = ['@method', '@target-uri', 'content-type', 'x-amount']

  it.each([
    ['changed', ['X-Amount: 100']],
    ['repeated', ['X-Amount: 1', 'X-Amount: 100']],
    ['repeated before', ['X-Amount: 100', 'X-Amount: 1']],
    ['with whitespace inside', ['X-Amount: 1 0']],
    ['with a comma', ['X-Amount: 1,']],
    ['missing', []],
    ['empty', ['X-Amount:']],
    ['folded onto a second line', ['X-Amount:\r\n 1']],
    ['with a space before its colon', ['X-Amount : 1']],
    ['hidden by Connection', ['X-Amount: 1', 'Connection: x-amount']],
    ['by a name that a backend may take for it', ['X_Amount: 1']],
  ])('is not what was signed once it is %s', async (_what, lines) => {
    const { headers: all, ...signed } = await signNow('GET', '/pay', headers, { fields })
    const { 'x-amount': _gone, ...rest } = all
    const answer = await raw({ ...signed, headers: rest }, { lines })
    expect(answer.slice(9, 12)).toMatch(/^40[01]$/)
    expect(upstream.requests).toEqual([])
  })

  it('is the same with whitespace around it, which no reader keeps', async () => {
    const { headers: all, ...signed } = await signNow('GET', '/pay', headers, { fields })
    const { 'x-amount': _gone, ...rest } = all
    expect(await raw({ ...signed, headers: rest }, { lines: ['X-Amount: \t 1 \t'] })).toMatch(
      /^HTTP\/1\.1 200/,
    )
  })

  it('must be among the covered ones where the route needs it', async () => {
    const answer = await raw(await signNow('GET', '/pay', headers, { fields: fields.slice(0, 3) }), {})
    expect(answer).toMatch(/^HTTP\/1\.1 401/)
  })

  it('cannot be taken out of the list of what is covered', async () => {
    const signed = await signNow('GET', '/pay', headers, { fields })
    const input = signed.headers['signature-input']!.replace(' "x-amount"', '')
    expect(await raw({ ...signed, headers: { ...signed.headers, 'signature-input': input } }, {})).toMatch(
      /^HTTP\/1\.1 401/,
    )
  })
})

describe('a covered parameter of the query', () => {
  const fields = ['@method', '@authority', '@path', '@query-param;name="account"']

  it.each([
    ['/account?account=1&account=2'],
    ['/account?account=2&account=1'],
    ['/account?account=2'],
    ['/account?account=1&acc%6Funt=2'],
    ['/account?account=1&%ff=2'],
    ['/account?Account=1'],
    ['/account'],
  ])('is not the one that was signed in %s', async (target) => {
    const signed = await signNow('GET', '/account?account=1', {}, { fields })
    expect(await raw(signed, { target })).toMatch(/^HTTP\/1\.1 401/)
    expect(upstream.requests).toEqual([])
  })

  it('leaves the others free, since nothing else was asked for', async () => {
    const signed = await signNow('GET', '/account?account=1', {}, { fields })
    expect(await raw(signed, { target: '/account?page=2&account=1' })).toMatch(/^HTTP\/1\.1 200/)
  })
})

describe('a signature', () => {
  it('is good once', async () => {
    const signed = await signNow('GET', '/orders/7')
    expect(await raw(signed, {})).toMatch(/^HTTP\/1\.1 200/)
    expect(await raw(signed, {})).toMatch(/^HTTP\/1\.1 401/)
  })

  it('is good once, also when it comes many times at the same moment', async () => {
    const signed = await signNow('GET', '/orders/7')
    const answers = await Promise.all(Array.from({ length: 20 }, () => raw(signed, {})))
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 200'))).toHaveLength(1)
    expect(upstream.requests).toHaveLength(1)
  })

  it('is not renewed by another label, order or spacing', async () => {
    const signed = await signNow('GET', '/orders/7')
    expect(await raw(signed, {})).toMatch(/^HTTP\/1\.1 200/)
    const { 'signature-input': input = '', signature = '' } = signed.headers
    const forms = [
      { 'signature-input': input.replace('sig=', 'other='), signature: signature.replace('sig=', 'other=') },
      { 'signature-input': ` ${input.replace('" "', '"   "')} `, signature: ` ${signature} ` },
      { 'signature-input': `a=();keyid="x", ${input}`, signature: `a=:AA==:, ${signature}` },
    ]
    for (const headers of forms) expect(await raw({ ...signed, headers }, {})).toMatch(/^HTTP\/1\.1 401/)
    expect(upstream.requests).toHaveLength(1)
  })

  it.each([
    ['too old', { created: new Date(Date.now() - 120_000) }],
    ['of the future', { created: new Date(Date.now() + 120_000) }],
    ['without a nonce', { nonce: '' }],
  ])('is refused when it is %s', async (_what, values) => {
    const signed = await signNow('GET', '/orders/7', {}, { values })
    expect(await raw(signed, {})).toMatch(/^HTTP\/1\.1 401/)
  })

  it('by a public key taken for a shared secret is refused', async () => {
    for (const id of ['ed', 'rsa']) {
      const own = callers.find((each) => each.id === id)!
      const caller = { ...own, algorithm: 'hmac-sha256', secret: own.shown } as const
      const params = ['created', 'keyid', 'nonce', 'alg']
      expect(await raw(await signNow('GET', '/orders/7', {}, { caller }), {})).toMatch(/^HTTP\/1\.1 401/)
      const named = await signNow('GET', '/orders/7', {}, { caller, params, values: { alg: 'hmac-sha256' } })
      expect(await raw(named, {})).toMatch(/^HTTP\/1\.1 401/)
    }
  })

  it('under two labels, or beside another of ours, is ambiguous', async () => {
    const one = await signNow('GET', '/orders/7', {}, { name: 'one' })
    const two = await sign(one, { name: 'two', values: { created: new Date() } })
    expect(await raw(two, {})).toMatch(/^HTTP\/1\.1 400[^]*credential_ambiguous/)
  })

  it('with one label for two lists is refused', async () => {
    const signed = await signNow('GET', '/orders/7')
    const other = await signNow('DELETE', '/orders/8')
    const input = `${other.headers['signature-input']}, ${signed.headers['signature-input']}`
    for (const lines of [[input], [other.headers['signature-input']!, signed.headers['signature-input']!]]) {
      const answer = await raw(
        { ...signed, headers: { signature: signed.headers['signature']! } },
        { lines: lines.map((line) => `Signature-Input: ${line}`) },
      )
      expect(answer).toMatch(/^HTTP\/1\.1 401/)
    }
  })

  it('does not let its fields through in another spelling', async () => {
    const signed = await signNow('GET', '/orders/7')
    await raw(signed, { lines: ['Signature_Input: a=();keyid="x"', 'X-Auth-Subject: root'] })
    const seen = upstream.requests[0]!.rawHeaders.map((each) => each.toLowerCase())
    expect(seen).not.toContain('signature_input')
    expect(seen).not.toContain('signature')
    expect(upstream.requests[0]!.headers['x-auth-subject']).toBe('acme')
  })
})

describe('a body in place of the one that was signed', () => {
  const body = '{"amount":1}'
  const other = '{"amount":9}'

  it.each([
    ['in one piece', `Content-Length: ${other.length}`, other],
    [
      'in chunks',
      'Transfer-Encoding: chunked',
      `6\r\n${other.slice(0, 6)}\r\n6\r\n${other.slice(6)}\r\n0\r\n\r\n`,
    ],
    ['with more behind it', 'Transfer-Encoding: chunked', `c\r\n${body}\r\n1\r\n \r\n0\r\n\r\n`],
    ['shorter', 'Transfer-Encoding: chunked', `b\r\n${body.slice(1)}\r\n0\r\n\r\n`],
    ['empty', 'Transfer-Encoding: chunked', '0\r\n\r\n'],
    ['none at all', 'Content-Length: 0', ''],
    [
      'with a trailer that would mend it',
      'Transfer-Encoding: chunked',
      `c\r\n${other}\r\n0\r\nContent-Digest: ${digestOf(other)}\r\n\r\n`,
    ],
  ])('never reaches the backend: %s', async (_what, framing, content) => {
    const signed = await signNow('POST', '/orders/', { 'content-digest': digestOf(body) })
    const answer = await raw(signed, { lines: [framing], content })
    expect(answer).toMatch(/^HTTP\/1\.1 401[^]*credential_invalid/)
    expect(upstream.requests).toEqual([])
  })

  it('is not let in by a digest that was not signed, or by two', async () => {
    const framing = `Content-Length: ${other.length}`
    const uncovered = await signNow(
      'POST',
      '/orders/',
      { 'content-digest': digestOf(other) },
      {
        fields: ['@method', '@target-uri'],
      },
    )
    expect(await raw(uncovered, { lines: [framing], content: other })).toMatch(/^HTTP\/1\.1 401/)
    const signed = await signNow('POST', '/orders/', { 'content-digest': digestOf(body) })
    const added = { lines: [`Content-Digest: ${digestOf(other)}`, framing], content: other }
    expect(await raw(signed, added)).toMatch(/^HTTP\/1\.1 401/)
    expect(upstream.requests).toEqual([])
  })

  it('does not reach the backend in part while it is still coming', async () => {
    const large = 'x'.repeat(500_000)
    const signed = await signNow('POST', '/orders/', { 'content-digest': digestOf(large) })
    const socket = connect(test.port, test.host)
    socket.write(headOf(signed, [`Content-Length: ${large.length}`]))
    await new Promise<void>((resolve) => socket.write(large.slice(0, -1), () => resolve()))
    expect(upstream.requests).toEqual([])
    socket.end('y')
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    expect(answer).toMatch(/^HTTP\/1\.1 401/)
    expect(upstream.requests).toEqual([])
  })
})

function signNow(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  how: Signing = {},
): Promise<Message> {
  const message = { method, url: `${test.url}${path}`, headers }
  return sign(message, { ...how, values: { created: new Date(), ...how.values } })
}

interface Change {
  readonly method?: string
  readonly target?: string
  readonly host?: string
  readonly lines?: readonly string[]
  readonly content?: string
}

function headOf(signed: Message, lines: readonly string[], change: Change = {}): string {
  const host = `${test.host}:${test.port}`
  const target = change.target ?? signed.url.slice(test.url.length)
  const fields = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}`)
  const start = `${change.method ?? signed.method} ${target} HTTP/1.1`
  return [start, `Host: ${change.host ?? host}`, ...fields, ...lines, 'Connection: close', '', ''].join(
    '\r\n',
  )
}

function raw(signed: Message, change: Change): Promise<string> {
  return exchange(test.port, `${headOf(signed, change.lines ?? [], change)}${change.content ?? ''}`)
}
