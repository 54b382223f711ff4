/** Lines that do not end with CR LF, lines that go on, and bytes that end a line for one reader only. */
import {
  caseKey,
  credential,
  each,
  entry,
  host,
  laxOnNode,
  line,
  refused,
  request,
  seen,
  smuggled,
  unfinished,
  type Family,
  type RequestCase,
} from '../request-case.ts'

const asLf = request('X-A: b').replaceAll('\r\n', '\n')
const asCr = request('X-A: b').replaceAll('\r\n', '\r')
const hidden = `Host: ${host}\r\n${credential}\r\n`

export const bareLf: Family<RequestCase> = {
  name: 'bare LF',
  source: 'a line feed alone as a line end (CVE-2022-35256, CVE-2025-22871 and kin; http-garden)',
  cases: [
    refused('everywhere', asLf),
    refused('behind the request line', `GET /x HTTP/1.1\n${hidden}\r\n`),
    refused('behind Host', `GET /x HTTP/1.1\r\nHost: ${host}\n${credential}\r\n\r\n`),
    refused('behind the last field', `GET /x HTTP/1.1\r\nHost: ${host}\r\n${credential}\n\r\n`),
    refused('as the empty line', `GET /x HTTP/1.1\r\n${hidden}\n`),
    refused('as an empty line in the middle', `GET /x HTTP/1.1\r\nHost: ${host}\r\n\n${credential}\r\n\r\n`),
    refused('two, and a request behind them', `GET /x HTTP/1.1\r\n${hidden}\n\n${smuggled}`),
    refused('LF CR', request('X-A: b\n\rX-C: d')),
    refused('LF CR LF', request('X-A: b\n\r\nX-C: d')),
    refused('in a value', request('X-A: b\nX-C: d')),
    refused('in a name', request('X-\nA: b')),
    refused('before a name', request('\nX-A: b')),
    refused('before the colon', request('X-A\n: b')),
    refused('behind the colon', request('X-A:\nb')),
    refused('in the target', line('GET /x\n HTTP/1.1')),
    refused('behind the method', line('GET\n/x HTTP/1.1')),
    refused('before the version', line('GET /x \nHTTP/1.1')),
    refused('a whole request in a value', request(`X-A: b\n\n${smuggled.replaceAll('\r\n', '\n')}`)),
    laxOnNode(refused('before the request', `\n${request()}`), [seen()]),
  ],
}

export const bareCr: Family<RequestCase> = {
  name: 'bare CR',
  source:
    'a carriage return alone as a line end (CVE-2023-30589 of llhttp; CVE-2022-32214; Envoy, HAProxy and others)',
  cases: [
    refused('everywhere', asCr),
    refused('behind the request line', `GET /x HTTP/1.1\r${hidden}\r\n`),
    refused('between two fields', request('X-A: b\rX-C: d')),
    refused('hiding a length', request('X-A: b\rContent-Length: 5', 'hello')),
    refused('hiding a coding', request('X-A: b\rTransfer-Encoding: chunked', '0\r\n\r\n')),
    refused(
      'as published: an empty value and CR',
      `GET /x HTTP/1.1\r\nHost: ${host}\r\n${credential}\r\nDummy: x\rContent-Length: 23\r\n\r\n${smuggled}`,
    ),
    refused(
      'as published: "Transfer-Encoding" behind CR',
      `POST /x HTTP/1.1\r\nHost: ${host}\r\n${credential}\r\nContent-Length: 5\r\nX:\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ),
    refused('two as the empty line', `GET /x HTTP/1.1\r\n${hidden}\r\r`),
    refused('CR CR LF behind a field', request('X-A: b\r')),
    refused('CR CR LF as the empty line', `GET /x HTTP/1.1\r\n${hidden}\r\r\n`),
    refused('CR and a byte as the empty line', `GET /x HTTP/1.1\r\n${hidden}\rX`),
    refused('CR CR LF behind the request line', line('GET /x HTTP/1.1\r')),
    refused('in a value', request('X-A: b\rc')),
    refused('at the start of a value', request('X-A: \rb')),
    refused('right behind the colon', request('X-A:\rb')),
    refused('in a name', request('X\r-A: b')),
    refused('before a name', request('\rX-A: b')),
    refused('before the colon', request('X-A\r: b')),
    refused('in the target', line('GET /x\rHTTP/1.1')),
    refused('behind the method', line('GET\r/x HTTP/1.1')),
    refused('before the version', line('GET /x \rHTTP/1.1')),
    laxOnNode(refused('before the request', `\r${request()}`), [seen()]),
    refused('a whole request in a value', request(`X-A: b\r\r${smuggled.replaceAll('\r\n', '\r')}`)),
    unfinished('the empty line cut before its LF', request().slice(0, -1)),
  ],
}

export const folding: Family<RequestCase> = {
  name: 'obs-fold',
  source:
    'field lines that go on in the next line (RFC 9112, section 5.2; Linhart et al. 2005; CVE-2022-32215)',
  cases: [
    ...each(
      [' ', '\t', '  ', ' \t ', '\t\t'],
      (shown) => `with '${shown}'`,
      (name, space) => refused(name, request(`X-A: b\r\n${space}c`)),
    ),
    refused('an empty continuation', request('X-A: b\r\n ')),
    refused('a continuation of a space and CR', request('X-A: b\r\n \r')),
    refused('of Host', request('', '', { host: `Host:\r\n ${host}\r\n` })),
    refused('of Host, half of it', request('', '', { host: 'Host: gateway\r\n .test\r\n' })),
    refused('of Content-Length', request('Content-Length:\r\n 5', 'hello')),
    refused('of Content-Length, a second digit', request('Content-Length: 1\r\n 0', 'hello')),
    refused('of Transfer-Encoding', request('Transfer-Encoding:\r\n chunked', '0\r\n\r\n')),
    refused('of Connection', request('Connection: close\r\n , X-Api-Key')),
    refused('that looks like a field', request('X-A: b\r\n Transfer-Encoding: chunked', '0\r\n\r\n')),
    refused('that looks like a length', request('X-A: b\r\n\tContent-Length: 5', 'hello')),
    refused('of the credential', `GET /x HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key:\r\n ${caseKey}\r\n\r\n`),
    refused('of a name', request('X-\r\n A: b')),
    refused('before the colon', request('X-A\r\n : b')),
    refused('behind the request line', `GET /x HTTP/1.1\r\n X-A: b\r\n${hidden}\r\n`),
    refused('of the request line', `GET /x\r\n HTTP/1.1\r\n${hidden}\r\n`),
    refused('by a vertical tab', request('X-A: b\r\n\x0bc')),
    refused('by a form feed', request('X-A: b\r\n\x0cc')),
    refused('by a non-breaking space', request('X-A: b\r\n\xa0c')),
    refused('as the empty line', `GET /x HTTP/1.1\r\n${hidden} \r\n\r\n`),
    refused('as the empty line, a tab', `GET /x HTTP/1.1\r\n${hidden}\t\r\n\r\n`),
  ],
}

export const ahead: Family<RequestCase> = {
  name: 'bytes ahead of the request',
  source: 'what stands before the request line (RFC 9112, section 2.2 lets servers skip it; not all do)',
  cases: [
    ...each(
      ['\r\n', '\r\n\r\n', '\r\n\r\n\r\n'],
      (shown) => `'${shown}'`,
      (name, text) => laxOnNode(refused(name, text + request()), [seen()]),
    ),
    ...each(
      [
        ' ',
        '\t',
        '\0',
        '\x0b',
        ' \r\n',
        '\xef\xbb\xbf',
        '0\r\n\r\n',
        '5\r\nhello\r\n0\r\n\r\n',
        ':',
        'x\r\n',
        '\xff',
        '\xa0',
        '\x85',
        '\r\n ',
        '\r\n\0',
      ],
      (shown) => `'${shown}'`,
      (name, text) => refused(name, text + request()),
    ),
    laxOnNode(
      entry(
        'a line break behind a body, before the next request',
        request('Content-Length: 5', `hello\r\n${request('', '', { target: '/y' })}`),
        {
          answers: [200, 400],
          seen: [seen('/x', 'GET', 'hello')],
          then: 'closed',
        },
      ),
      [seen('/x', 'GET', 'hello'), seen('/y')],
    ),
  ],
}
