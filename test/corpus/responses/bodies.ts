/** Bodies of answers that end elsewhere than one reader believes, and bytes behind them. */
import { each, type Family } from '../request-case.ts'
import {
  brokenAnswer,
  chunkedAnswer,
  good,
  last,
  response,
  smuggledAnswer,
  type ResponseCase,
} from '../response-case.ts'

const ok = { status: 200, body: 'ok' }
const none = { status: 200, body: '' }
const end = '0\r\n\r\n'

export const answerChunks: Family<ResponseCase> = {
  name: 'chunked answers',
  source: 'the same tricks with chunks, from the side of the service (CVE-2025-55315 and kin; http-garden)',
  cases: [
    ...each(
      [
        '0x2',
        '+2',
        '-2',
        ' 2',
        '2 ',
        '2\t',
        '2h',
        '',
        'zz',
        '\x002',
        '2\0',
        '2\x0b',
        '2_0',
        '"2"',
        'fffffffffffffffff',
        '10000000000000002',
        '2 ;a',
        '2,2',
        '\xef\xbc\x92',
      ],
      (shown) => `the size '${shown}'`,
      (name, size) => brokenAnswer(name, chunkedAnswer(`${size}\r\nok\r\n${end}`), { then: 'ends' }),
    ),
    ...each(
      [';\n', ';a\n', ';a\rb', ';a="\n"', ';a="\r\n"', ';\0', ';a=\x01'],
      (shown) => `the extension '${shown}'`,
      (name, text) => brokenAnswer(name, chunkedAnswer(`2${text}\r\nok\r\n${end}`), { then: 'ends' }),
    ),
    brokenAnswer('a size ended by LF', chunkedAnswer(`2\nok\r\n${end}`)),
    brokenAnswer('a size ended by CR', chunkedAnswer(`2\rok\r\n${end}`)),
    brokenAnswer('a chunk ended by LF', chunkedAnswer(`2\r\nok\n${end}`)),
    brokenAnswer('a chunk ended by nothing', chunkedAnswer(`2\r\nok${end}`)),
    brokenAnswer('a chunk longer than its size', chunkedAnswer(`2\r\noks\r\n${end}`)),
    brokenAnswer('a chunk shorter than its size', chunkedAnswer(`4\r\nok\r\n${end}`)),
    brokenAnswer('the last line ended by LF', chunkedAnswer('2\r\nok\r\n0\r\n\n')),
    brokenAnswer('the last chunk ended by LF', chunkedAnswer('2\r\nok\r\n0\n\r\n')),
    brokenAnswer('a bad trailer', chunkedAnswer('2\r\nok\r\n0\r\nX y: z\r\n\r\n')),
    brokenAnswer('a folded trailer', chunkedAnswer('2\r\nok\r\n0\r\nX: y\r\n z\r\n\r\n')),
    brokenAnswer('a length in the trailers', chunkedAnswer('2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n')),
    brokenAnswer('an answer where a size belongs', chunkedAnswer(`2\r\nok\r\n${smuggledAnswer}`)),
    brokenAnswer('cut before the last chunk', chunkedAnswer('2\r\nok\r\n'), { then: 'ends' }),
    brokenAnswer('cut in a chunk', chunkedAnswer('4\r\nok'), { then: 'ends' }),
    brokenAnswer('cut in a size', chunkedAnswer('2'), { then: 'ends' }),
    brokenAnswer('cut before the last line break', chunkedAnswer('2\r\nok\r\n0\r\n'), { then: 'ends' }),
    brokenAnswer('cut before the last line feed', chunkedAnswer('2\r\nok\r\n0\r\n\r'), { then: 'ends' }),
    brokenAnswer('cut in the trailers', chunkedAnswer('2\r\nok\r\n0\r\nX: y\r\n'), { then: 'ends' }),
    brokenAnswer('cut by a reset', chunkedAnswer('2\r\nok\r\n'), { then: 'resets' }),
    good('extensions', chunkedAnswer(`2;a=b\r\nok\r\n0;c\r\n\r\n`), ok),
    good('several chunks', chunkedAnswer(`1\r\no\r\n1\r\nk\r\n${end}`), ok),
    good('leading zeros', chunkedAnswer(`0002\r\nok\r\n000\r\n\r\n`), ok),
    good('trailers', chunkedAnswer('2\r\nok\r\n0\r\nX-A: b\r\n\r\n'), ok),
    good(
      'trailers that mean something elsewhere',
      chunkedAnswer('2\r\nok\r\n0\r\nSet-Cookie: a=b\r\nX-Auth-Subject: root\r\n\r\n'),
      ok,
      { orRefused: true },
    ),
    good(
      'a chunk that holds an answer',
      chunkedAnswer(`${smuggledAnswer.length.toString(16)}\r\n${smuggledAnswer}\r\n${end}`),
      { status: 200, body: smuggledAnswer },
    ),
    good('in pieces', [chunkedAnswer('2'), '\r\nok\r', '\n0\r\n', '\r\n'], ok),
  ],
}

export const surplus: Family<ResponseCase> = {
  name: 'bytes behind an answer',
  source:
    'a second answer that nobody asked for: response queue poisoning (Linhart et al. 2005; Kettle 2021)',
  cases: [
    last('a second answer behind a length', response('Content-Length: 2', `ok${smuggledAnswer}`), ok),
    last('a second answer behind chunks', chunkedAnswer(`2\r\nok\r\n${end}${smuggledAnswer}`), ok),
    last('a second answer behind a 304', `${response('', '', '304 Not Modified')}${smuggledAnswer}`, {
      status: 304,
      body: '',
    }),
    last('a second answer behind a 204', `${response('', '', '204 No Content')}${smuggledAnswer}`, {
      status: 204,
      body: '',
    }),
    last('a second answer behind a length of 0', response('Content-Length: 0', smuggledAnswer), none),
    last('a second answer later', [response('Content-Length: 2', 'ok'), smuggledAnswer], ok),
    last('a second answer later, behind chunks', [chunkedAnswer(`2\r\nok\r\n${end}`), smuggledAnswer], ok),
    last('half an answer', response('Content-Length: 2', 'okHTTP/1.1 20'), ok),
    last('one byte', response('Content-Length: 2', 'ok!'), ok),
    last('one byte later', [response('Content-Length: 2', 'ok'), '!'], ok),
    last('an empty line', response('Content-Length: 2', 'ok\r\n'), ok, { node: { connection: 'either' } }),
    last('an empty line later', [response('Content-Length: 2', 'ok'), '\r\n'], ok),
    last('a NUL later', [response('Content-Length: 2', 'ok'), '\0'], ok),
    last('a 100 later', [response('Content-Length: 2', 'ok'), 'HTTP/1.1 100 Continue\r\n\r\n'], ok),
    last(
      'a 408 later',
      [response('Content-Length: 2', 'ok'), response('Content-Length: 8', 'smuggled', '408 Request Timeout')],
      ok,
    ),
    last(
      'two answers behind each other',
      response('Content-Length: 2', `ok${smuggledAnswer}${smuggledAnswer}`),
      ok,
    ),
    last('a body behind the answer to HEAD', response('Content-Length: 8', 'smuggled'), none, {
      method: 'HEAD',
    }),
    last('a body behind the answer to HEAD, later', [response('Content-Length: 8'), 'smuggled'], none, {
      method: 'HEAD',
      connection: 'either',
    }),
    last(
      'an answer as the body of the answer to HEAD',
      response(`Content-Length: ${smuggledAnswer.length}`, smuggledAnswer),
      none,
      { method: 'HEAD' },
    ),
    last(
      'a chunked body behind the answer to HEAD',
      response('Transfer-Encoding: chunked', `8\r\nsmuggled\r\n${end}`),
      none,
      { method: 'HEAD' },
    ),
    last('a declared body behind a 204', response('Content-Length: 8', 'smuggled', '204 No Content'), {
      status: 204,
      body: '',
    }),
    last('a declared body behind a 304', response('Content-Length: 8', 'smuggled', '304 Not Modified'), {
      status: 304,
      body: '',
    }),
    last(
      'a chunked body behind a 204',
      response('Transfer-Encoding: chunked', `8\r\nsmuggled\r\n${end}`, '204 No Content'),
      { status: 204, body: '' },
      { orRefused: true },
    ),
    last(
      'a chunked body behind a 304',
      response('Transfer-Encoding: chunked', `8\r\nsmuggled\r\n${end}`, '304 Not Modified'),
      { status: 304, body: '' },
      { orRefused: true },
    ),
    good(
      'nothing behind a 304 with a length',
      response('Content-Length: 8', '', '304 Not Modified'),
      { status: 304, body: '' },
      { node: { connection: 'either' } },
    ),
    good('nothing behind a 204', response('', '', '204 No Content'), { status: 204, body: '' }),
    good('nothing behind the answer to HEAD', response('Content-Length: 8'), none, {
      method: 'HEAD',
      connection: 'either',
    }),
    good('nothing behind the answer to HEAD, chunked', response('Transfer-Encoding: chunked'), none, {
      method: 'HEAD',
      connection: 'either',
    }),
  ],
}

export const ends: Family<ResponseCase> = {
  name: 'ends of answers',
  source: 'answers cut short, or whose end is the end of the connection (RFC 9112, sections 6.3 and 8)',
  cases: [
    brokenAnswer('shorter than its length', response('Content-Length: 5', 'ok'), { then: 'ends' }),
    brokenAnswer('shorter than its length, by a reset', response('Content-Length: 5', 'ok'), {
      then: 'resets',
    }),
    brokenAnswer('a length and no byte', response('Content-Length: 5'), { then: 'ends' }),
    brokenAnswer('a length of a gigabyte', response('Content-Length: 1000000000', 'ok'), { then: 'ends' }),
    brokenAnswer('without length, by a reset', [response('', 'ok'), ''], { then: 'resets' }),
    last('without length', response('', 'ok'), ok, { then: 'ends' }),
    last('without length, in pieces', [response('', 'o'), 'k'], ok, { then: 'ends' }),
    last('without length and without body', response(''), none, { then: 'ends' }),
    last('without length, in HTTP/1.0', response('', 'ok', '200 OK', 'HTTP/1.0'), ok, { then: 'ends' }),
    last(
      'without length, a body that is an answer',
      response('', smuggledAnswer),
      { status: 200, body: smuggledAnswer },
      { then: 'ends' },
    ),
    last(
      'an error without length',
      response('', 'ok', '500 Oh'),
      { status: 500, body: 'ok' },
      { then: 'ends' },
    ),
    last('a length, then the end', response('Content-Length: 2', 'ok'), ok, { then: 'ends' }),
    last('chunks, then the end', chunkedAnswer(`2\r\nok\r\n${end}`), ok, { then: 'ends' }),
    last('a length, then a reset', [response('Content-Length: 2', 'ok'), ''], ok, { then: 'resets' }),
    good('in many pieces', response('Content-Length: 2', 'ok').split(/(?<=[1e\n])/), ok),
    last(
      'early: a whole answer before the request has ended',
      response('Content-Length: 2', 'ok', '413 Too much'),
      { status: 413, body: 'ok' },
      { method: 'POST', isEarly: true },
    ),
    last('early: a chunked answer', chunkedAnswer(`2\r\nok\r\n${end}`), ok, {
      method: 'POST',
      isEarly: true,
    }),
    last(
      'early: and the end',
      response('Content-Length: 2', 'ok', '401 No'),
      { status: 401, body: 'ok' },
      { method: 'POST', isEarly: true, then: 'ends' },
    ),
    last(
      'early: and a second one',
      response('Content-Length: 2', `ok${smuggledAnswer}`, '413 Too much'),
      { status: 413, body: 'ok' },
      { method: 'POST', isEarly: true },
    ),
  ],
}
