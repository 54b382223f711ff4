/** Expect, upgrades and what else makes one of two readers wait, or stop reading requests. */
import {
  accepted,
  closing,
  each,
  either,
  entry,
  post,
  refused,
  request,
  seen,
  smuggled,
  unfinished,
  type Family,
  type RequestCase,
  type Seen,
} from '../request-case.ts'

const got = seen('/x', 'POST', 'hello')

/** The connection may close behind an expectation: not every client sends the body that it announced. */
const after = (name: string, bytes: string | readonly string[], ...requests: Seen[]): RequestCase =>
  closing(accepted(name, bytes, ...requests), 'either')

export const expectations: Family<RequestCase> = {
  name: 'Expect',
  source: 'Expect that makes one of two readers lose or skip a body: 0.CL and CL.0 by Expect (Kettle 2025)',
  cases: [
    ...each(
      [
        'y 100-continue',
        '100-continue, x',
        '100-continue,100-continue',
        'x',
        '200-ok',
        '100',
        '100-Continue;q=1',
        '"100-continue"',
        '100-continue\0',
        '100 -continue',
        '100-continue x',
        '',
        ' ',
        '100-continu',
        '100_continue',
        '\x0b100-continue',
        '100-continue\xa0',
        ',100-continue',
        '100-continue,',
      ],
      (shown) => `'${shown}'`,
      (name, value) => refused(name, post(`Expect: ${value}\r\nContent-Length: 5`, 'hello')),
    ),
    refused('twice', post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5', 'hello')),
    refused('twice, one unknown', post('Expect: 100-continue\r\nExpect: x\r\nContent-Length: 5', 'hello')),
    refused('folded', post('Expect:\r\n 100-continue\r\nContent-Length: 5', 'hello')),
    refused('a space before the colon', post('Expect : 100-continue\r\nContent-Length: 5', 'hello')),
    refused(
      'beside both lengths',
      post('Expect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    ),
    after('with the body at once', post('Expect: 100-continue\r\nContent-Length: 5', 'hello'), got),
    after('with the body a little later', [post('Expect: 100-continue\r\nContent-Length: 5'), 'hello'], got),
    after('in other letters', post('EXPECT: 100-CONTINUE\r\nContent-Length: 5', 'hello'), got),
    after(
      'with a chunked body',
      [post('Expect: 100-continue\r\nTransfer-Encoding: chunked'), '5\r\nhello\r\n0\r\n\r\n'],
      got,
    ),
    after(
      'with a request for a body',
      post(`Expect: 100-continue\r\nContent-Length: ${smuggled.length}`, smuggled),
      seen('/x', 'POST', smuggled),
    ),
    after(
      'in GET, with a request for a body',
      request(`Expect: 100-continue\r\nContent-Length: ${smuggled.length}`, smuggled),
      seen('/x', 'GET', smuggled),
    ),
    after('without any body', request('Expect: 100-continue'), seen()),
    after('with a length of 0', post('Expect: 100-continue\r\nContent-Length: 0'), seen('/x', 'POST')),
    unfinished('and then never a body', post('Expect: 100-continue\r\nContent-Length: 5')),
    closing(
      either(
        'in HEAD with a body',
        request(`Expect: 100-continue\r\nContent-Length: ${smuggled.length}`, smuggled, { method: 'HEAD' }),
        seen('/x', 'HEAD', smuggled),
      ),
      'either',
    ),
  ],
}

const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const webSocket = (version: string, more = ''): string =>
  `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: ${version}\r\n${key}${more}`

/** The recorder answers every upgrade with 200, which is no upgrade: what follows must not become a tunnel. */
const upgraded = (name: string, lines: string, method = 'GET', ...more: string[]): RequestCase =>
  closing(
    accepted(name, request(lines, more.join(''), { method }), seen('/x', method, more.join(''))),
    'either',
  )

export const upgrades: Family<RequestCase> = {
  name: 'upgrades',
  source:
    'a front that takes an upgrade for done and stops reading (Emil Lerner 2019, WebSocket smuggling; Wachter, BishopFox 2020, h2c smuggling)',
  cases: [
    upgraded('a WebSocket of an old version', webSocket('777')),
    upgraded('a WebSocket of no version', `Connection: Upgrade\r\nUpgrade: websocket\r\n${key}`),
    upgraded('a WebSocket that the upstream does not take up', webSocket('13')),
    upgraded('a WebSocket in POST', webSocket('13', '\r\nContent-Length: 0'), 'POST'),
    upgraded('two protocols', 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\nSec-WebSocket-Version: 13'),
    upgraded(
      'h2c',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
    ),
    upgraded(
      'h2c without its settings in Connection',
      'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ),
    upgraded('h2', 'Connection: Upgrade\r\nUpgrade: h2'),
    upgraded('TLS', 'Connection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1'),
    upgraded('an unknown one', 'Connection: upgrade\r\nUpgrade: x/1'),
    upgraded(
      'h2c twice',
      'Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13',
    ),
    upgraded('with a body', webSocket('13', '\r\nContent-Length: 5'), 'GET', 'hello'),
    accepted('without Connection', request('Upgrade: websocket\r\nSec-WebSocket-Version: 13'), seen()),
    accepted(
      'h2c without Connection',
      request('Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA'),
      seen(),
    ),
    closing(accepted('Connection without Upgrade', request('Connection: Upgrade'), seen()), 'either'),
    refused(
      'with both lengths',
      request(`${webSocket('13')}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked`, '0\r\n\r\n'),
    ),
    refused(
      'h2c that Connection lets vanish with Host',
      request('Connection: Upgrade, Host\r\nUpgrade: h2c'),
    ),
    refused(
      'a space before its colon',
      request('Connection: Upgrade\r\nUpgrade : websocket\r\nSec-WebSocket-Version: 13'),
    ),
  ],
}

export const pauses: Family<RequestCase> = {
  name: 'pauses',
  source: 'a pause after which one reader takes the message for over (Kettle 2022, pause-based desync)',
  cases: [
    accepted(
      'behind the head, a request for a body',
      [post(`Content-Length: ${smuggled.length}`), smuggled],
      seen('/x', 'POST', smuggled),
    ),
    accepted('in the middle of a body', [post('Content-Length: 5', 'he'), 'llo'], got),
    accepted(
      'behind the head, chunks',
      [post('Transfer-Encoding: chunked'), `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`],
      seen('/x', 'POST', smuggled),
    ),
    accepted('in a chunk size', [post('Transfer-Encoding: chunked', '0'), '5\r\nhello\r\n0\r\n\r\n'], got),
    accepted(
      'between a size and its line end',
      [post('Transfer-Encoding: chunked', '5'), '\r\nhello\r\n0\r\n\r\n'],
      got,
    ),
    accepted(
      'within CR LF of a size',
      [post('Transfer-Encoding: chunked', '5\r'), '\nhello\r\n0\r\n\r\n'],
      got,
    ),
    accepted(
      'within CR LF of a chunk',
      [post('Transfer-Encoding: chunked', '5\r\nhello\r'), '\n0\r\n\r\n'],
      got,
    ),
    accepted(
      'within the last line',
      [post('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r'), '\n'],
      got,
    ),
    accepted('within the empty line of a head', [request().slice(0, -1), '\n'], seen()),
    accepted('within a CR LF of a head', [request().slice(0, 16), request().slice(16)], seen()),
    accepted('between two requests', [request(), request('', '', { target: '/y' })], seen(), seen('/y')),
    refused('within a bare CR', [`GET /x HTTP/1.1\r`, `Host: x\r\n\r\n`]),
    refused('within both lengths', [
      post('Content-Length: 5').slice(0, -2),
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ]),
    refused('within a fold', [request('X-A: b').slice(0, -2), ' c\r\n\r\n']),
    unfinished('that never ends, in a head', request().slice(0, -2)),
    unfinished('that never ends, in a line', 'GET /x HT'),
  ],
}

const hundreds = Array.from({ length: 300 }, (_, index) => `/${index}`)
const large = 'GET /smuggled '.repeat(40_000).slice(0, 524_288)

export const queues: Family<RequestCase> = {
  name: 'response queues',
  source:
    'requests and answers that fall out of step (Kettle 2021, response queue poisoning; Linhart et al. 2005, splitting)',
  cases: [
    entry(
      'a bad request behind a good one',
      request() + request('Content-Length: 5\r\nContent-Length: 5', 'hello'),
      { answers: [200, 400], seen: [seen()], then: 'closed' },
    ),
    entry(
      'a good one behind a bad one',
      request('Content-Length: 5\r\nContent-Length: 6', 'hello') + request(),
      { answers: [400], then: 'closed' },
    ),
    entry('a bad one between good ones', request() + request(': b') + request('', '', { target: '/y' }), {
      answers: [200, 400],
      seen: [seen()],
      then: 'closed',
    }),
    entry('HTTP/0.9 behind a good one', `${request()}GET /y\r\n\r\n`, {
      answers: [200, 400],
      seen: [seen()],
      then: 'closed',
    }),
    accepted(
      'HEAD and a request behind it',
      request('', '', { method: 'HEAD' }) + request('', '', { target: '/y' }),
      seen('/x', 'HEAD'),
      seen('/y'),
    ),
    accepted(
      'HEAD between others',
      request() + request('', '', { method: 'HEAD', target: '/y' }) + request('', '', { target: '/z' }),
      seen(),
      seen('/y', 'HEAD'),
      seen('/z'),
    ),
    accepted(
      'ten at once',
      Array.from({ length: 10 }, (_, index) => request('', '', { target: `/${index}` })).join(''),
      ...Array.from({ length: 10 }, (_, index) => seen(`/${index}`)),
    ),
    accepted(
      'three hundred at once',
      hundreds.map((target) => request('', '', { target })).join(''),
      ...hundreds.map((target) => seen(target)),
    ),
    accepted(
      'three hundred bodies at once',
      hundreds.map((target) => request('Content-Length: 5', 'hello', { target, method: 'POST' })).join(''),
      ...hundreds.map((target) => seen(target, 'POST', 'hello')),
    ),
    accepted(
      'half a megabyte, and a request behind it',
      post(`Content-Length: ${large.length}`, large) + request(),
      seen('/x', 'POST', large),
      seen(),
    ),
    accepted(
      'half a megabyte in chunks, and a request behind it',
      post(
        'Transfer-Encoding: chunked',
        `${Array.from({ length: 8 }, (_, index) => `10000\r\n${large.slice(index * 65_536, (index + 1) * 65_536)}\r\n`).join('')}0\r\n\r\n`,
      ) + request(),
      seen('/x', 'POST', large),
      seen(),
    ),
    accepted(
      'five thousand chunks, and a request behind them',
      post('Transfer-Encoding: chunked', `${'1\r\nx\r\n'.repeat(5000)}0\r\n\r\n`) + request(),
      seen('/x', 'POST', 'x'.repeat(5000)),
      seen(),
    ),
    accepted(
      'bodies and none, in turn',
      post('Content-Length: 5', 'hello') +
        request() +
        post('Transfer-Encoding: chunked', '2\r\nhi\r\n0\r\n\r\n') +
        request('', '', { target: '/y' }),
      got,
      seen(),
      seen('/x', 'POST', 'hi'),
      seen('/y'),
    ),
    closing(
      accepted(
        'a request behind one that closes',
        request('Connection: close') + request('', '', { target: '/y' }),
        seen(),
      ),
    ),
    entry(
      'a refused key, then a good one',
      request('', '', { target: '/y' }).replace('corpus-key-00', 'nobody-key-00') + request(),
      { answers: [401, 200], seen: [seen()], then: 'open' },
    ),
    entry(
      'a refused key with a body that is a request',
      request(`Content-Length: ${smuggled.length}`, smuggled, { method: 'POST' }).replace(
        'corpus-key-00',
        'nobody-key-00',
      ),
      { answers: [401], then: 'either' },
    ),
    entry(
      'a refused key with a chunked body that is a request',
      request('Transfer-Encoding: chunked', `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`, {
        method: 'POST',
      }).replace('corpus-key-00', 'nobody-key-00'),
      { answers: [401], then: 'either' },
    ),
    entry('an answer in a request', `${request()}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`, {
      answers: [200, 400],
      seen: [seen()],
      then: 'closed',
    }),
    entry('TRACE behind a good one', request() + request('', '', { method: 'TRACE' }), {
      answers: [200, 405],
      seen: [seen()],
      then: 'closed',
    }),
    entry('CONNECT behind a good one', `${request()}CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n`, {
      answers: [200, 400],
      seen: [seen()],
      then: 'closed',
    }),
  ],
}
