/** Framing, paths and header fields through the whole gateway: each case is followed by a canary, and a backend on bare sockets counts what it was sent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rawClient } from '../raw-client.ts'
import { bearer, patience, request, startOutside, type Outside } from '../support/outside.ts'

let outside: Outside

beforeAll(async () => {
  outside = await startOutside('lockout: off')
}, 60_000)

afterAll(() => outside.stop())

const canary = 'GET /open/canary HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'

/** Everything that comes back until the gateway closes. */
async function converse(bytes: string): Promise<string> {
  outside.backend.forget()
  const client = await rawClient({ port: outside.ports[0]!, patience })
  try {
    return (await client.send(bytes).ended()).toString('latin1')
  } finally {
    client.destroy()
  }
}

function statuses(answers: string): string[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => status!)
}

const host = 'Host: h\r\n'
const post = (fields: string, body = ''): string => `POST /open/x HTTP/1.1\r\n${host}${fields}\r\n${body}`
const get = (fields: string): string => `GET /open/x HTTP/1.1\r\n${fields}\r\n`
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body)
const empty = '0\r\n\r\n'

const refused: readonly string[] = [
  post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', empty),
  post('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', empty),
  post('Content-Length: 1\r\nContent-Length: 1\r\n', 'x'),
  ...[
    '1, 1',
    '+1',
    '-1',
    '0x1',
    '1 1',
    '',
    '1.0',
    '1e0',
    '99999999999999999999',
    '18446744073709551617',
    '1_0',
    '"1"',
  ].map((length) => post(`Content-Length: ${length}\r\n`, 'x')),
  ...[
    'gzip, chunked',
    'chunked, chunked',
    'chunked, identity',
    'identity',
    'xchunked',
    '"chunked"',
    'chunked;q=1',
    ',chunked',
    '',
    '\x0Bchunked',
    'chunked\0',
  ].map((coding) => post(`Transfer-Encoding: ${coding}\r\n`, empty)),
  post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', empty),
  post('Transfer-Encoding:\r\n chunked\r\n', empty),
  post('Transfer-Encoding : chunked\r\n', empty),
  post(' Transfer-Encoding: chunked\r\n', empty),
  post('X: y\nTransfer-Encoding: chunked\r\n', empty),
  post('X: y\rTransfer-Encoding: chunked\r\n', empty),
  post('Transfer_Encoding: chunked\r\nContent-Length: 0\r\n'),
  `POST /open/x HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n${empty}`,
  ...[
    'zz\r\n',
    '-1\r\nx\r\n',
    '+2\r\nab\r\n',
    '0x2\r\nab\r\n',
    ' 2\r\nab\r\n',
    '2\nab\r\n',
    '2\r\nab\n',
    '2\r\nabX\r\n',
    '\r\n',
    '2;\n\r\nab\r\n',
    '2;a\rb\r\nab\r\n',
    'ffffffffffffffff1\r\nab\r\n',
  ].map((chunk) => chunked(chunk + empty)),
  chunked('2\r\nab\r\n0\r\nno colon\r\n\r\n'),
  chunked('2\r\nab\r\n0\r\nA: b\r\n c\r\n\r\n'),
  ...[' folded', '\tfolded'].map((line) => get(`${host}X: a\r\n${line}\r\n`)),
  `GET /open/x HTTP/1.1\n${host}\n`,
  get('Host : h\r\n'),
  ...['\0', '\x01', '\x0B', '\x7F', '\r'].map((byte) => get(`${host}X: a${byte}b\r\n`)),
  ...['a b', 'a(b', 'a\x80', 'a"b', 'a/b', 'a@b', 'a[b', ''].map((name) => get(`${host}${name}: v\r\n`)),
  get(''),
  get('Host: h\r\nHost: h\r\n'),
  ...['', 'a b', 'a@b', 'a/b', 'a,b', 'a#b', 'a:99999', '[::1', 'a\\b', 'a%2fb'].map((name) =>
    get(`Host: ${name}\r\n`),
  ),
  ...['http://other/open/x', 'http://h:81/open/x', 'http://u@h/open/x', 'ftp://h/open/x', 'open/x', '*'].map(
    (target) => `GET ${target} HTTP/1.1\r\n${host}\r\n`,
  ),
  'CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n',
  ...['HTTP/1.2', 'HTTP/2.0', 'HTTP/1.11', 'http/1.1', 'HTTP/1.1 '].map(
    (version) => `GET /open/x ${version}\r\n${host}\r\n`,
  ),
  'GET /open/x HTTP/1.0\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ...[
    'authorization',
    'Host',
    'cookie',
    'Content-Length',
    'X_Auth_Subject',
    'close, X-Portcullis-Assertion',
    'x-auth.roles',
  ].map((named) => get(`${host}Connection: ${named}\r\n`)),
]

const twoPaths: readonly string[] = [
  'a%2fb',
  'a%5cb',
  'a\\b',
  '%00',
  'a;b',
  '..;/x',
  '%zz',
  '%4',
  'a#b',
  '\x7F',
  '\xE9',
  '../../x',
  '%2e%2e/%2e%2e/x',
].map((path) => `GET /open/${path} HTTP/1.1\r\n${host}\r\n`)

describe('a request that can be read in two ways', () => {
  it.each(refused.map((bytes) => [JSON.stringify(bytes).slice(0, 120), bytes] as const))(
    '%s',
    async (_name, bytes) => {
      const answers = await converse(bytes + canary)
      expect(statuses(answers), answers.slice(0, 400)).toEqual(['400'])
      expect(answers).toMatch(/\r\nConnection: close\r\n/i)
      expect(outside.backend.bytes()).toBe('')
      expect(answers).toContain('"code":"bad_request"')
    },
  )
})

it.each(twoPaths)('a path that can be read in two ways: %j', async (bytes) => {
  const answers = await converse(bytes + canary)
  expect(answers).toContain('"code":"bad_request"')
  expect(statuses(answers)[0]).toBe('400')
  expect(outside.backend.messages.map(({ line }) => line).filter((line) => !line.includes('canary'))).toEqual(
    [],
  )
})

const framed: readonly (readonly [bytes: string, body: string])[] = [
  [post('TRANSFER-ENCODING: Chunked\r\n', '2\r\nab\r\n0\r\n\r\n'), 'ab'],
  [chunked('0002;a=b;c="d"\r\nab\r\n000;e\r\n\r\n'), 'ab'],
  [chunked('2\r\nab\r\n0\r\nX-Auth-Subject: root\r\n\r\n'), 'ab'],
  [post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n', '2\r\nab\r\n0\r\n\r\n'), 'ab'],
  [post('Content-Length: 2\r\n', 'ab'), 'ab'],
  [`GET /open/x HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`, 'abc'],
  [`GET http://h/open/x HTTP/1.1\r\n${host}\r\n`, ''],
]

describe('a request that can be read in one way', () => {
  it.each(framed.map(([bytes, body]) => [JSON.stringify(bytes).slice(0, 100), bytes, body] as const))(
    '%s',
    async (_name, bytes, body) => {
      expect(statuses(await converse(bytes + canary))).toEqual(['200', '200'])
      expect(outside.backend.messages.map((message) => [message.line, message.body])).toEqual([
        [`${bytes.slice(0, bytes.indexOf(' '))} /open/x HTTP/1.1`, body],
        ['GET /open/canary HTTP/1.1', ''],
      ])
      expect(outside.backend.bytes()).not.toMatch(/x-auth|root/i)
    },
  )

  it('is not the body of another that is refused', async () => {
    const answers = await converse(request('/token/x', [], 'POST', canary))
    expect(statuses(answers)).toEqual(['401'])
    expect(answers).toMatch(/\r\nConnection: close\r\n/i)
    expect(outside.backend.bytes()).toBe('')
  })
})

const heads: readonly (readonly [what: string, head: string, status: number, code: string])[] = [
  ['a long target', request(`/open/${'x'.repeat(9000)}`), 414, 'uri_too_long'],
  ['a long field', request('/open/x', [`X: ${'x'.repeat(9000)}`]), 431, 'headers_too_large'],
  [
    'many fields',
    request(
      '/open/x',
      Array.from({ length: 50 }, () => 'X: y'),
    ),
    431,
    'headers_too_large',
  ],
  [
    'a long target and a long field',
    request(`/open/${'x'.repeat(5000)}`, [`X: ${'x'.repeat(5000)}`]),
    431,
    'headers_too_large',
  ],
  [
    'a body that says it is too large',
    request('/open/x', ['Content-Length: 99999999'], 'POST'),
    413,
    'payload_too_large',
  ],
  [
    'the same from nobody',
    request('/token/x', ['Content-Length: 99999999'], 'POST'),
    401,
    'credential_missing',
  ],
  ['TRACE', request('/open/x', [], 'TRACE'), 405, 'method_not_allowed'],
  [
    'an expectation that nobody meets',
    request('/open/x', ['Expect: magic'], 'POST', 'hi'),
    400,
    'bad_request',
  ],
]

it.each(heads)('refuses %s', async (_what, head, status, code) => {
  const answer = await outside.ask(head)
  expect([answer.status, answer.json()['code']]).toEqual([status, code])
  expect(outside.backend.bytes()).toBe('')
})

const paths: readonly (readonly [target: string, seen: string | number, kept?: 'kept'])[] = [
  ['/open/a/../b', '/open/b'],
  ['/open/%2E', '/open/'],
  ['//open//b', '/open/b'],
  ['/open/%61%7e%2d', '/open/a~-'],
  ['/open/%c3%a9', '/open/%C3%A9'],
  ['/open/%252e%252e/x', '/open/%252e%252e/x'],
  ['/open/%3b', '/open/%3B'],
  ['/open/x?a=../../token&%2e%zz', '/open/x?a=../../token&%2e%zz'],
  ['/open/...', '/open/...'],
  ['/open/%2e%2e/token/x', 401],
  ['/%74oken/x', 401],
  ['/open/../.portcullis/jwks.json/x', 404],
  ['/Open/x', 404],
  ['/open', 404],
  ['/open/a%2fb;c', '/open/a%2Fb;c', 'kept'],
  ['/open/..%2ftoken/x', 400, 'kept'],
  ['/open/a%2f..', 400, 'kept'],
  ['/open/..;a=b/x', 400, 'kept'],
  ['/open/.;/x', 400, 'kept'],
]

it.each(paths.map(([target, seen, kept]) => [target, seen, kept] as const))(
  'reads %s once',
  async (target, seen, kept) => {
    const answer = await outside.ask(request(target), { port: outside.ports[kept === undefined ? 0 : 1]! })
    if (typeof seen === 'number') {
      expect(answer.status).toBe(seen)
      expect(outside.backend.bytes()).toBe('')
    } else expect(outside.backend.messages.map(({ line }) => line)).toEqual([`GET ${seen} HTTP/1.1`])
  },
)

describe('what a client says of itself', () => {
  const names = [
    'X-Auth-Subject',
    'X_Auth_Subject',
    'x-auth.roles',
    'X!Auth!Anything',
    'X-Portcullis-Assertion',
    'x~portcullis~foo',
    'X-Forwarded-For',
    'X_Forwarded_Proto',
    'X-Forwarded-Anything',
    'Forwarded',
    'X-Real-IP',
    'X_Real_IP',
    'X-Original-URL',
    'X_Rewrite_Url',
    'X-HTTP-Method',
    'X-HTTP-Method-Override',
    'X-Method-Override',
    'Proxy',
    'SSL-Client-Cert',
    'SSL_CLIENT_VERIFY',
    'X-SSL-Client-CN',
    'X-Client-Cert',
    'X-Client-Certificate',
    'Client-Cert',
    'Client_Cert_Chain',
    'X-Forwarded-Client-Cert',
    'DPoP',
    'X-Pep-Key',
    'X_Pep_Key',
    'TE',
    'Keep-Alive',
    'Proxy-Authorization',
    'Upgrade',
  ]

  it.each(['/open/x', '/optional/x', '/token/x'])('stays outside on %s', async (path) => {
    const own = path === '/token/x' ? [bearer(outside.token())] : []
    // A proof beside a token that names no key is refused, not only taken away (test/attacks/bound-tokens.test.ts).
    const sent = path === '/token/x' ? names.filter((name) => name !== 'DPoP') : names
    const answer = await outside.ask(
      request(path, [...own, ...sent.map((name) => `${name}: spoofed`), 'X-Kept: y']),
    )
    expect(answer.status, answer.text()).toBe(200)
    expect(outside.backend.messages[0]!.head).not.toContain('spoofed')
    expect(outside.backend.messages[0]!.values('x-kept')).toEqual(['y'])
    expect(outside.backend.messages[0]!.values('x-forwarded-for')).toEqual(['127.0.0.1'])
  })

  it('loses the cookies that are ours, and no other', async () => {
    const cookies =
      'a=1; __Host-portcullis=x; portcullis=y; __Host-portcullis-login-q=z; apikey=k; portcullisx=3'
    await outside.ask(request('/open/x', [`Cookie: ${cookies}`]))
    expect(outside.backend.messages[0]!.values('cookie')).toEqual(['a=1; portcullisx=3'])
  })
})
