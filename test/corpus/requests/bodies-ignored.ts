/** One of two readers believes that there is no body: CL.0, 0.CL, TE.0 and their kin. Whatever was declared is a body here. */
import {
  accepted,
  caseKey,
  chunks,
  closing,
  either,
  entry,
  host,
  post,
  refused,
  request,
  seen,
  smuggled,
  unfinished,
  type Family,
  type RequestCase,
} from '../request-case.ts'

const length = `Content-Length: ${smuggled.length}`
const inChunks = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`
const methods = ['GET', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'POST'] as const

export const clZero: Family<RequestCase> = {
  name: 'CL.0',
  source: 'the back ignores a Content-Length on a path or method that it expects no body of (Kettle 2022)',
  cases: [
    ...methods.map((method) =>
      accepted(
        `a request as the body of ${method}`,
        request(length, smuggled, { method }),
        seen('/x', method, smuggled),
      ),
    ),
    accepted(
      'on a file',
      request(length, smuggled, { target: '/favicon.ico' }),
      seen('/favicon.ico', 'GET', smuggled),
    ),
    accepted(
      'on a path with a query',
      request(length, smuggled, { target: '/?a=b' }),
      seen('/?a=b', 'GET', smuggled),
    ),
    accepted(
      'with Connection: keep-alive',
      post(`Connection: keep-alive\r\n${length}`, smuggled),
      seen('/x', 'POST', smuggled),
    ),
    closing(
      accepted(
        'with Connection: close',
        post(`Connection: close\r\n${length}`, smuggled),
        seen('/x', 'POST', smuggled),
      ),
    ),
    either('in HEAD', request(length, smuggled, { method: 'HEAD' }), seen('/x', 'HEAD', smuggled)),
    refused(
      'Connection names the length away',
      post(`Connection: close, Content-Length\r\n${length}`, smuggled),
    ),
    refused(
      'Connection names the length away, alone',
      post(`Connection: content-length\r\n${length}`, smuggled),
    ),
    entry('a body behind a length of 0 is the next request', post('Content-Length: 0', smuggled), {
      answers: [200, 200],
      seen: [seen('/x', 'POST'), seen('/smuggled')],
    }),
    entry('a body behind no length at all is the next request', request('', smuggled), {
      answers: [200, 200],
      seen: [seen(), seen('/smuggled')],
    }),
    entry('an unframed body that is no request', post('', 'hello=world\r\n\r\n'), {
      answers: [200, 400],
      seen: [seen('/x', 'POST')],
      then: 'closed',
    }),
    entry('a length too short by one', post('Content-Length: 4', 'hello'), {
      answers: [200, 400],
      seen: [seen('/x', 'POST', 'hell')],
      then: 'closed',
    }),
  ],
}

export const zeroCl: Family<RequestCase> = {
  name: '0.CL',
  source: 'the front ignores a Content-Length that the back waits for (Kettle 2025)',
  cases: [
    unfinished('a length whose body never comes', post('Content-Length: 100', 'hello')),
    unfinished('a length and nothing else', request('Content-Length: 1')),
    ...['con', 'nul', 'aux', 'prn'].map((device) =>
      accepted(
        `a device's name: /${device}`,
        request(length, smuggled, { target: `/${device}` }),
        seen(`/${device}`, 'GET', smuggled),
      ),
    ),
    refused('a length hidden behind a space', request(` ${length}`, smuggled)),
    refused('a length hidden in a fold', request(`X: y\r\n ${length}`, smuggled)),
    refused('a length behind a line feed', request(`X: y\n${length}`, smuggled)),
    refused('a length in two lines', request(`Content-Length:\r\n ${smuggled.length}`, smuggled)),
    refused(
      'a length with a space before its colon',
      request(`Content-Length : ${smuggled.length}`, smuggled),
    ),
    refused(
      'a length under a first line of spaces',
      `GET /x HTTP/1.1\r\n Content-Length: 5\r\nHost: ${host}\r\nX-Api-Key: ${caseKey}\r\n\r\nhello`,
    ),
  ],
}

export const teZero: Family<RequestCase> = {
  name: 'TE.0',
  source: 'the back ignores a chunked body (Bugcrowd researchers 2024, Google Cloud load balancers)',
  cases: [
    ...methods.map((method) =>
      accepted(
        `a request in a chunk of ${method}`,
        request('Transfer-Encoding: chunked', inChunks, { method }),
        seen('/x', method, smuggled),
      ),
    ),
    accepted(
      'a request whose line is a chunk size',
      chunks('3\r\nGET\r\n0\r\n\r\n'),
      seen('/x', 'POST', 'GET'),
    ),
    entry('a request behind the last chunk is the next request', chunks(`1\r\na\r\n0\r\n\r\n${smuggled}`), {
      answers: [200, 200],
      seen: [seen('/x', 'POST', 'a'), seen('/smuggled')],
    }),
    unfinished('a chunked body that never ends', chunks('5\r\nhello\r\n')),
    unfinished('a chunked body that never begins', chunks('')),
    unfinished('a chunk whose bytes never come', chunks('ff\r\nhello')),
    unfinished('a last chunk without its empty line', chunks('5\r\nhello\r\n0\r\n')),
    unfinished('a last chunk with half an empty line', chunks('5\r\nhello\r\n0\r\n\r')),
    unfinished('a trailer without end', chunks('5\r\nhello\r\n0\r\nX-A: b\r\n')),
  ],
}
