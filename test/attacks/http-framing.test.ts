/** Heads and bodies that two readers could understand in two ways. Each is followed by a canary on the same connection: it must never be served. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startListener, type TestListener, onEachDataPlane } from '../listener.ts'
import { splits } from '../raw-client.ts'

const canary = 'GET /canary HTTP/1.1\r\nHost: x\r\n\r\n'

/** What → bytes. All are 400, and nothing of them reaches the pipeline. */
const malformed: Record<string, string> = {
  // Content-Length and Transfer-Encoding
  'both Content-Length and Transfer-Encoding':
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'both, the other way round':
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  'both, with a zero length':
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n',
  'repeated equal Content-Length': post('Content-Length: 0\r\nContent-Length: 0'),
  'repeated different Content-Length': post('Content-Length: 0\r\nContent-Length: 5'),
  'a list of Content-Length': post('Content-Length: 0, 0'),
  'a signed Content-Length': post('Content-Length: +0'),
  'a negative Content-Length': post('Content-Length: -1'),
  'a hexadecimal Content-Length': post('Content-Length: 0x0'),
  'a Content-Length with a fraction': post('Content-Length: 0.0'),
  'a Content-Length with an exponent': post('Content-Length: 0e0'),
  'a Content-Length with an inner space': post('Content-Length: 0 0'),
  'an empty Content-Length': post('Content-Length: '),
  'a Content-Length beyond exact numbers': post('Content-Length: 9999999999999999'),
  'a Content-Length beyond 64 bits': post('Content-Length: 18446744073709551616'),
  'a Content-Length of leading zeros beyond 15 digits': post('Content-Length: 0000000000000000'),
  'a Content-Length in full-width digits': post('Content-Length: \xef\xbc\x90'),
  'a Content-Length behind a vertical tab': post('Content-Length:\x0b0'),
  'gzip, chunked': chunked('gzip, chunked'),
  'chunked, gzip': chunked('chunked, gzip'),
  'chunked twice in a list': chunked('chunked, chunked'),
  'chunked twice in two lines': chunked('chunked\r\nTransfer-Encoding: chunked'),
  'identity and chunked in two lines': chunked('identity\r\nTransfer-Encoding: chunked'),
  'chunked with an empty list member before it': chunked(', chunked'),
  'chunked with an empty list member behind it': chunked('chunked,'),
  'chunked in quotes': chunked('"chunked"'),
  'chunked with a parameter': chunked('chunked;q=1'),
  'a coding that ends in chunked': chunked('xchunked'),
  'a coding that begins with chunked': chunked('chunkedx'),
  'chunked behind a vertical tab': chunked('\x0bchunked'),
  'chunked behind a non-breaking space': chunked('\xa0chunked'),
  'identity alone': post('Transfer-Encoding: identity'),
  'gzip alone': post('Transfer-Encoding: gzip'),
  'an empty Transfer-Encoding': post('Transfer-Encoding: '),
  'Transfer-Encoding in HTTP/1.0':
    'POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  Content_Length: post('Content_Length: 5'),
  Transfer_Encoding: post('Transfer_Encoding: chunked'),
  'Transfer.Encoding beside a Content-Length': post('Content-Length: 0\r\nTransfer.Encoding: chunked'),
  // names and values
  'a space before the colon': get('Content-Length : 0'),
  'a tab before the colon': get('X-A\t: 0'),
  'a space before a name': 'GET / HTTP/1.1\r\n Host: x\r\n\r\n',
  'a space before the first field': 'GET / HTTP/1.1\r\n X-A: b\r\nHost: x\r\n\r\n',
  'obsolete folding with a space': get('X-A: b\r\n c'),
  'obsolete folding with a tab': get('X-A: b\r\n\tc'),
  'a folded Transfer-Encoding': get('Transfer-Encoding:\r\n chunked'),
  'a line without a colon': get('X-A'),
  'an empty name': get(': b'),
  'a name with a space': get('X A: b'),
  'a name with a NUL': get('X\0A: b'),
  'a name with a control byte': get('X\x01A: b'),
  'a name with a byte beyond ASCII': get('X\xe9: b'),
  'a name with brackets': get('X[A]: b'),
  'a name with a slash': get('X/A: b'),
  'a value with a NUL': get('X-A: b\0c'),
  'a value with a control byte': get('X-A: b\x01c'),
  'a value with DEL': get('X-A: b\x7fc'),
  'a value with a bare carriage return': get('X-A: b\rc'),
  'a value with a bare line feed': get('X-A: b\nX-C: d'),
  'a bare carriage return that hides a field': get('X-A: b\rContent-Length: 5'),
  // line ends
  'bare line feeds': 'GET / HTTP/1.1\nHost: x\n\n',
  'a bare line feed behind the request line': 'GET / HTTP/1.1\nHost: x\r\n\r\n',
  'a bare line feed behind a field': 'GET / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n',
  'a bare line feed as the empty line': 'GET / HTTP/1.1\r\nHost: x\r\n\n',
  'a bare carriage return behind the request line': 'GET / HTTP/1.1\rHost: x\r\n\r\n',
  'a bare carriage return as the empty line': 'GET / HTTP/1.1\r\nHost: x\r\n\r\rX',
  'two carriage returns': 'GET / HTTP/1.1\r\nHost: x\r\r\n\r\n',
  // the request line
  'HTTP/0.9': 'GET /\r\n\r\n',
  'HTTP/0.9 in words': 'GET / HTTP/0.9\r\nHost: x\r\n\r\n',
  'HTTP/1.2': 'GET / HTTP/1.2\r\nHost: x\r\n\r\n',
  'HTTP/2.0': 'GET / HTTP/2.0\r\nHost: x\r\n\r\n',
  'HTTP/1.10': 'GET / HTTP/1.10\r\nHost: x\r\n\r\n',
  'HTTP/01.1': 'GET / HTTP/01.1\r\nHost: x\r\n\r\n',
  'http/1.1': 'GET / http/1.1\r\nHost: x\r\n\r\n',
  'HTTP /1.1': 'GET / HTTP /1.1\r\nHost: x\r\n\r\n',
  'a third word': 'GET / X HTTP/1.1\r\nHost: x\r\n\r\n',
  'a space behind the version': 'GET / HTTP/1.1 \r\nHost: x\r\n\r\n',
  'tabs between the words': 'GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n',
  'no target': 'GET HTTP/1.1\r\nHost: x\r\n\r\n',
  'no method': ' / HTTP/1.1\r\nHost: x\r\n\r\n',
  'a lower-case method': 'get / HTTP/1.1\r\nHost: x\r\n\r\n',
  'a mixed-case method': 'Get / HTTP/1.1\r\nHost: x\r\n\r\n',
  'an unknown method': 'GETX / HTTP/1.1\r\nHost: x\r\n\r\n',
  'a method with a control byte': 'G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n',
  'a method with a byte beyond ASCII': 'G\xcaT / HTTP/1.1\r\nHost: x\r\n\r\n',
  'a method with brackets': 'G(T / HTTP/1.1\r\nHost: x\r\n\r\n',
  'a byte order mark': '\xef\xbb\xbfGET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'DESCRIBE of RTSP': 'DESCRIBE / HTTP/1.1\r\nHost: x\r\n\r\n',
  // targets
  CONNECT: 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n',
  'CONNECT with a path': 'CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n',
  'the target *': 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET *': 'GET * HTTP/1.1\r\nHost: x\r\n\r\n',
  'authority form': 'GET x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n',
  'a relative target': 'GET index.html HTTP/1.1\r\nHost: x\r\n\r\n',
  'a query alone': 'GET ?a=b HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form for another host': 'GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form for another port': 'GET http://x:81/ HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form with user info': 'GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form with an empty authority': 'GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form without slashes': 'GET http:/x HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form of another scheme': 'GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form of a file': 'GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form whose host a backslash ends': 'GET http://x\\@y/ HTTP/1.1\r\nHost: x\r\n\r\n',
  'absolute form without Host': 'GET http://x/ HTTP/1.1\r\n\r\n',
  'a target with a control byte': 'GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n',
  'a target with a NUL': 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n',
  'a target with DEL': 'GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n',
  'a target with a byte beyond ASCII': 'GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n',
  // Host
  'no Host': 'GET / HTTP/1.1\r\nX-A: b\r\n\r\n',
  'no field at all': 'GET / HTTP/1.1\r\n\r\n',
  'two Hosts': get('Host: y'),
  'two equal Hosts': get('Host: x'),
  'an empty Host': host(''),
  'a Host of spaces': host('   '),
  'a Host with user info': host('u@x'),
  'a Host with a password': host('u:p@x'),
  'a Host with a path': host('x/y'),
  'a Host with a query': host('x?y'),
  'a Host with a fragment': host('x#y'),
  'a Host with a space': host('x y'),
  'a Host that is a list': host('x, y'),
  'a Host with a scheme': host('http://x'),
  'a Host with a bad port': host('x:http'),
  'a Host with a port out of range': host('x:65536'),
  'a Host with port 0': host('x:0'),
  'a Host with an empty port': host('x:'),
  'a Host with two ports': host('x:1:2'),
  'a Host with an empty label': host('a..b'),
  'a Host that begins with a dot': host('.x'),
  'a Host that is a dot': host('.'),
  'a Host with a percent escape': host('x%2ey'),
  'a Host with a byte beyond ASCII': host('x\xe9'),
  'a Host with a backslash': host('x\\y'),
  'a Host with a quote': host('x"y'),
  'a Host with an asterisk': host('*'),
  'a Host with a bare IPv6 address': host('::1'),
  'a Host with a bad IPv6 address': host('[::g]'),
  'a Host with an unclosed bracket': host('[::1'),
  'a Host with a zone': host('[fe80::1%25eth0]'),
  'a Host with an IPv4 address in brackets': host('[127.0.0.1]'),
  'a Host with a name in brackets': host('[x]'),
  'a Host beyond any name': host('a'.repeat(300)),
  'HTTP/1.0 without Host': 'GET / HTTP/1.0\r\n\r\n',
  'HTTP/1.0 with two Hosts': 'GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n',
  // Connection
  'Connection naming Host': get('Connection: Host'),
  'Connection naming Authorization': get('Connection: close, Authorization'),
  'Connection naming Cookie': get('Connection: cookie'),
  'Connection naming Content-Length': post('Content-Length: 0\r\nConnection: content-length'),
  'Connection naming an identity header': get('Connection: X-Auth-Subject'),
  'Connection naming an identity header with underscores': get('Connection: x_auth_roles'),
  'Connection naming the assertion': get('Connection: keep-alive, X-Portcullis-Assertion'),
  'Connection naming X-Forwarded-For': get('Connection: X-Forwarded-For'),
  'a second Connection naming Authorization': get('Connection: keep-alive\r\nConnection: authorization'),
  'Connection with something that is no name': get('Connection: a b'),
  // Expect
  'an unknown expectation': get('Expect: 200-ok'),
  'two expectations': get('Expect: 100-continue, 100-continue'),
  'an expectation that hides another': get('Expect: x 100-continue'),
  // chunked bodies
  'a chunk size that is none': body('zz\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a sign': body('+5\r\nhello\r\n0\r\n\r\n'),
  'a negative chunk size': body('-1\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with 0x': body('0x5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a leading space': body(' 5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a space behind it': body('5 \r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a tab behind it': body('5\t\r\nhello\r\n0\r\n\r\n'),
  'an empty chunk size': body('\r\nhello\r\n0\r\n\r\n'),
  'a chunk size that overflows': body('fffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
  'a chunk size ended by a bare line feed': body('5\nhello\r\n0\r\n\r\n'),
  'a chunk size ended by a bare carriage return': body('5\rhello\r\n0\r\n\r\n'),
  'a chunk that is longer than it says': body('3\r\nhello\r\n0\r\n\r\n'),
  'a chunk ended by a bare line feed': body('5\r\nhello\n0\r\n\r\n'),
  'a chunk without its end': body('5\r\nhello0\r\n\r\n'),
  'a chunk extension with a bare line feed': body('5;a\nhello\r\n0\r\n\r\n'),
  'a chunk extension with a bare carriage return': body('5;a\rb\r\nhello\r\n0\r\n\r\n'),
  'a chunk extension with a quoted line feed': body('5;a="\n"\r\nhello\r\n0\r\n\r\n'),
  'a chunk extension with a NUL': body('5;a=\0\r\nhello\r\n0\r\n\r\n'),
  'a last chunk ended by a bare line feed': body('5\r\nhello\r\n0\n\r\n'),
  'a body ended by a bare line feed': body('5\r\nhello\r\n0\r\n\n'),
  'a trailer with a space before its colon': body('5\r\nhello\r\n0\r\nX-A : b\r\n\r\n'),
  'a trailer with a bare carriage return': body('5\r\nhello\r\n0\r\nX-A: b\rc\r\n\r\n'),
  'a folded trailer': body('5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n'),
}

/** What must pass, so that the table above is no trap for honest clients: bytes → target and body that arrive. */
const wellFormed: Record<string, readonly [bytes: string, target: string, body?: string]> = {
  'a plain GET': ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '/'],
  'a Host with a port': [host('x:8080'), '/'],
  'a Host with a trailing dot': [host('x.example.'), '/'],
  'a Host with an underscore': [host('a_b.example'), '/'],
  'a Host in upper case': [host('EXAMPLE.COM'), '/'],
  'an IPv4 Host': [host('127.0.0.1:80'), '/'],
  'an IPv6 Host': [host('[::1]:80'), '/'],
  'no space behind the colon': ['GET / HTTP/1.1\r\nHost:x\r\n\r\n', '/'],
  'white space around a value': ['GET / HTTP/1.1\r\nHost: \t x \t \r\n\r\n', '/'],
  'an empty value': [get('X-A:'), '/'],
  'a value with bytes beyond ASCII': [get('X-A: \xc3\xa9'), '/'],
  'a value with an inner tab': [get('X-A: a\tb'), '/'],
  'absolute form': ['GET http://x/a?b HTTP/1.1\r\nHost: x\r\n\r\n', '/a?b'],
  'absolute form with a port': ['GET http://x:81/a HTTP/1.1\r\nHost: x:81\r\n\r\n', '/a'],
  'absolute form in another case': ['GET HTTP://X/a HTTP/1.1\r\nHost: x\r\n\r\n', '/a'],
  'absolute form without a path': ['GET http://x HTTP/1.1\r\nHost: x\r\n\r\n', '/'],
  'absolute form with a query alone': ['GET http://x?a HTTP/1.1\r\nHost: x\r\n\r\n', '/?a'],
  'absolute form of https': ['GET https://x/a HTTP/1.1\r\nHost: x\r\n\r\n', '/a'],
  'Connection naming a field of its own': [get('Connection: keep-alive, X-Mine\r\nX-Mine: 1'), '/'],
  'Connection with empty members': [get('Connection: , keep-alive,,'), '/'],
  'Connection: TE': [get('Connection: TE\r\nTE: trailers'), '/'],
  'two fields of one name': [get('X-A: 1\r\nX-A: 2'), '/'],
  'OPTIONS with a path': ['OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n', '/'],
  'a zero Content-Length': [post('Content-Length: 0'), '/'],
  'a body by length': [`${post('Content-Length: 5')}hello`, '/', 'hello'],
  'a length with leading zeros': [`${post('Content-Length: 005')}hello`, '/', 'hello'],
  'a chunked body': [body('5\r\nhello\r\n0\r\n\r\n'), '/', 'hello'],
  'an empty chunked body': [body('0\r\n\r\n'), '/', ''],
  'a chunked body in upper case': [chunked('Chunked'), '/', ''],
  'a chunk with an extension': [body('5;a=b\r\nhello\r\n0\r\n\r\n'), '/', 'hello'],
  'a chunk size with leading zeros': [body('005\r\nhello\r\n000\r\n\r\n'), '/', 'hello'],
  'a chunk size in upper case': [body('A\r\nhellohello\r\n0\r\n\r\n'), '/', 'hellohello'],
  'trailers, which are dropped': [body('5\r\nhello\r\n0\r\nX-Auth-Subject: eve\r\n\r\n'), '/', 'hello'],
  PATCH: ['PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na', '/', 'a'],
  'DELETE with a body': ['DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na', '/', 'a'],
  'GET with a body': ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na', '/', 'a'],
}

function get(line: string): string {
  return `GET / HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`
}

function post(line: string): string {
  return `POST / HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`
}

function host(value: string): string {
  return `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`
}

function chunked(coding: string): string {
  return `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`
}

function body(bytes: string): string {
  return `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${bytes}`
}

onEachDataPlane((dataPlane) => {
  let listener: TestListener
  beforeAll(async () => {
    listener = await startListener()
  })
  afterAll(() => listener[Symbol.asyncDispose]())

  describe('a malformed request', () => {
    it.each(Object.entries(malformed))(
      '%s: 400, closed, and nothing reaches the pipeline',
      async (_, bytes) => {
        const before = listener.reached.length
        const client = await listener.client()
        client.send(bytes + canary)
        const answer = await client.answer()
        expect(answer.status).toBe(400)
        expect(answer.field('content-type')).toBe('application/problem+json')
        expect(answer.field('connection')).toBe('close')
        expect(answer.field('date')).toBeDefined()
        expect(answer.field('cache-control')).toBe('no-store')
        expect(answer.json()).toMatchObject({ status: 400, code: 'bad_request' })
        expect((await client.ended()).toString()).toBe('')
        expect(client.error).toBeUndefined()
        expect(listener.reached.length).toBe(before)
      },
    )

    it('TRACE is 405 and closes', async () => {
      const client = await listener.client()
      client.send(`TRACE / HTTP/1.1\r\nHost: x\r\n\r\n${canary}`)
      const answer = await client.answer()
      expect(answer.status).toBe(405)
      expect(answer.json()['code']).toBe('method_not_allowed')
      expect(answer.field('allow')).toContain('GET')
      expect((await client.ended()).length).toBe(0)
    })

    it('is refused at whatever byte its packets are cut', async () => {
      const cases = [
        'both Content-Length and Transfer-Encoding',
        'obsolete folding with a space',
        'two Hosts',
      ] as const
      for (const name of cases)
        for (const pieces of splits(malformed[name]!).filter((_, at) => at % 7 === 0)) {
          const client = await listener.client()
          await client.sendPieces(pieces, 2)
          client.send(canary)
          expect((await client.answer()).status).toBe(400)
          expect((await client.ended()).length).toBe(0)
        }
      expect(listener.reached.map(({ target }) => target)).not.toContain('/canary')
    })
  })

  describe('a well-formed request', () => {
    it.each(Object.entries(wellFormed))(
      '%s passes, and so does the next one',
      async (_, [bytes, target, sent]) => {
        const client = await listener.client()
        client.send(bytes + canary)
        const answer = await client.answer()
        expect(answer.status).toBe(200)
        expect(answer.json()).toMatchObject({ target, body: sent ?? '' })
        expect((await client.answer()).json()).toMatchObject({ target: '/canary' })
      },
    )

    it('is the same at whatever byte its packets are cut', async () => {
      const bytes = `POST /a?b=c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n, w\r\n0\r\nX-T: 1\r\n\r\n`
      for (const pieces of splits(bytes)) {
        const client = await listener.client()
        await client.sendPieces(pieces, 1)
        client.send(canary)
        expect((await client.answer()).json()).toMatchObject({ target: '/a?b=c', body: 'hello, w' })
        expect((await client.answer()).json()).toMatchObject({ target: '/canary' })
        client.destroy()
      }
    })
  })

  describe('what the parser of node:http takes beyond our rules (known on `dataPlane: node`)', () => {
    const lax: Record<string, string> = {
      'line breaks before the request line': '\r\n\r\nGET /lax HTTP/1.1\r\nHost: x\r\n\r\n',
      'two spaces behind the method': 'GET  /lax HTTP/1.1\r\nHost: x\r\n\r\n',
      'RTSP/1.0 for a version': 'OPTIONS /lax RTSP/1.0\r\nHost: x\r\n\r\n',
    }

    it.each(Object.entries(lax))('%s: one request there all the same, none on the wire', async (_, bytes) => {
      const before = listener.reached.length
      const client = await listener.client()
      client.send(bytes)
      const answer = await client.answer()
      if (dataPlane === 'node') expect(answer.json()).toMatchObject({ target: '/lax' })
      else expect(answer.status).toBe(400)
      expect(listener.reached.length - before).toBe(dataPlane === 'node' ? 1 : 0)
    })
  })
})
