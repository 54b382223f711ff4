/** Two lengths in one request: the front reads one of them, the back the other. */
import {
  accepted,
  credential,
  each,
  either,
  entry,
  host,
  post,
  refused,
  request,
  seen,
  smuggled,
  type Family,
  type RequestCase,
} from '../request-case.ts'

const empty = '0\r\n\r\n'
const body = `${empty}${smuggled}`
const length = (text: string): string => `Content-Length: ${text.length}`

export const clTe: Family<RequestCase> = {
  name: 'CL.TE',
  source: 'the front takes Content-Length, the back Transfer-Encoding (Linhart et al. 2005; Kettle 2019)',
  cases: [
    refused('length, then coding', post(`${length(body)}\r\nTransfer-Encoding: chunked`, body)),
    refused('a short length', post(`Content-Length: 5\r\nTransfer-Encoding: chunked`, body)),
    refused('a length of 0', post(`Content-Length: 0\r\nTransfer-Encoding: chunked`, body)),
    refused(
      'a length of 6 and a torn prefix',
      post('Content-Length: 6\r\nTransfer-Encoding: chunked', `${empty}G`),
    ),
    refused(
      'other fields between them',
      post(`${length(body)}\r\nX-A: b\r\nTransfer-Encoding: chunked`, body),
    ),
    refused('lower-case names', post(`content-length: ${body.length}\r\ntransfer-encoding: chunked`, body)),
    refused('a coding in upper case', post(`${length(body)}\r\nTransfer-Encoding: CHUNKED`, body)),
    refused('in GET', request(`${length(body)}\r\nTransfer-Encoding: chunked`, body)),
    refused(
      'in HTTP/1.0',
      request(`${length(body)}\r\nTransfer-Encoding: chunked`, body, { method: 'POST', version: 'HTTP/1.0' }),
    ),
    refused(
      'with Connection: keep-alive',
      post(`Connection: keep-alive\r\n${length(body)}\r\nTransfer-Encoding: chunked`, body),
    ),
    refused(
      'with Connection naming the coding',
      post(`Connection: Transfer-Encoding\r\n${length(body)}\r\nTransfer-Encoding: chunked`, body),
    ),
    refused(
      'with Connection naming the length',
      post(`Connection: Content-Length\r\n${length(body)}\r\nTransfer-Encoding: chunked`, body),
    ),
    refused('a malformed length', post('Content-Length: x\r\nTransfer-Encoding: chunked', body)),
    refused('an empty length', post('Content-Length:\r\nTransfer-Encoding: chunked', body)),
    refused(
      'before Host',
      `POST /x HTTP/1.1\r\n${length(body)}\r\nTransfer-Encoding: chunked\r\nHost: ${host}\r\n${credential}\r\n\r\n${body}`,
    ),
  ],
}

const prefix = 'GET /smuggled HTTP/1.1\r\nX: '

export const teCl: Family<RequestCase> = {
  name: 'TE.CL',
  source: 'the front takes Transfer-Encoding, the back Content-Length (Kettle 2019)',
  cases: [
    refused(
      'coding, then length',
      post(
        'Transfer-Encoding: chunked\r\nContent-Length: 4',
        `${smuggled.length.toString(16)}\r\n${smuggled}\r\n${empty}`,
      ),
    ),
    refused(
      'a chunk that begins a request',
      post(
        'Content-Length: 4\r\nTransfer-Encoding: chunked',
        `${prefix.length.toString(16)}\r\n${prefix}\r\n${empty}`,
      ),
    ),
    refused(
      'a length of 0',
      post('Transfer-Encoding: chunked\r\nContent-Length: 0', `5\r\nhello\r\n${empty}`),
    ),
    refused(
      'a length that fits exactly',
      post(`Transfer-Encoding: chunked\r\nContent-Length: 15`, `5\r\nhello\r\n${empty}`),
    ),
    refused(
      'a length beyond the body',
      post('Transfer-Encoding: chunked\r\nContent-Length: 9999', `5\r\nhello\r\n${empty}`),
    ),
    refused(
      'in PUT',
      request('Transfer-Encoding: chunked\r\nContent-Length: 3', `1\r\na\r\n${empty}`, { method: 'PUT' }),
    ),
    refused(
      'in HEAD',
      request('Transfer-Encoding: chunked\r\nContent-Length: 3', `1\r\na\r\n${empty}`, { method: 'HEAD' }),
    ),
    refused(
      'two lengths beside the coding',
      post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Length: 5', empty),
    ),
  ],
}

export const clCl: Family<RequestCase> = {
  name: 'CL.CL',
  source: 'two Content-Length fields, or one that is a list (Linhart et al. 2005; RFC 9112, section 6.3)',
  cases: [
    refused('different', post('Content-Length: 5\r\nContent-Length: 0', 'hello')),
    refused('different, the other way round', post('Content-Length: 0\r\nContent-Length: 5', 'hello')),
    refused('equal', post('Content-Length: 5\r\nContent-Length: 5', 'hello')),
    refused('equal, both zero', post('Content-Length: 0\r\nContent-Length: 0')),
    refused('equal but for leading zeros', post('Content-Length: 5\r\nContent-Length: 05', 'hello')),
    refused('in two cases of letters', post('Content-Length: 5\r\ncontent-length: 5', 'hello')),
    refused('apart', post('Content-Length: 5\r\nX-A: b\r\nContent-Length: 6', 'hello')),
    refused('three', post('Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5', 'hello')),
    refused('a list of equals', post('Content-Length: 5, 5', 'hello')),
    refused('a list of equals without space', post('Content-Length: 5,5', 'hello')),
    refused('a list of different', post('Content-Length: 5, 6', 'hello')),
    refused('a list with an empty member', post('Content-Length: 5,', 'hello')),
    refused('a list with an empty first member', post('Content-Length: ,5', 'hello')),
    refused('the second empty', post('Content-Length: 5\r\nContent-Length:', 'hello')),
    refused(
      'the smuggled request in the longer one',
      post(`Content-Length: 0\r\n${length(smuggled)}`, smuggled),
    ),
  ],
}

const badLengths = [
  '+5',
  '-5',
  '-0',
  '+0',
  '0x5',
  '0X5',
  '5h',
  '5.0',
  '5e0',
  '0b101',
  '0o5',
  '5 5',
  '5\t5',
  '5;',
  '5;a=b',
  '"5"',
  "'5'",
  '(5)',
  '5_0',
  '1_0',
  '5,',
  'five',
  'NaN',
  'Infinity',
  '',
  ' ',
  '\t',
  '\x0b5',
  '5\x0b',
  '\x0c5',
  '5\x0c',
  '\xa05',
  '5\xa0',
  '\x855',
  '\x005',
  '5\0',
  '5\x01',
  '\x7f5',
  '\xb2',
  '\xef\xbc\x95',
  '\xd9\xa5',
  '5\r',
  '\r5',
  '5\n',
  '\n5',
  '9999999999999999',
  '18446744073709551616',
  '18446744073709551621',
  '4294967301x',
  '99999999999999999999999999',
  '0000000000000000',
  '0000000000000005',
  '-18446744073709551611',
  '5 ,',
  '5#',
  '5/',
  '5:',
  '$5',
  '%35',
  '5\\',
  '{5}',
]

export const lengths: Family<RequestCase> = {
  name: 'Content-Length values',
  source:
    'numbers that one parser reads and another does not (RFC 9110, section 8.6; http-garden; CVE-2018-7159)',
  cases: [
    ...each(
      badLengths,
      (shown) => `'${shown}'`,
      (name, value) => refused(name, post(`Content-Length: ${value}`, 'hello')),
    ),
    accepted('5', post('Content-Length: 5', 'hello'), seen('/x', 'POST', 'hello')),
    accepted('without space', post('Content-Length:5', 'hello'), seen('/x', 'POST', 'hello')),
    accepted('white space around', post('Content-Length: \t 5 ', 'hello'), seen('/x', 'POST', 'hello')),
    either('a tab behind', post('Content-Length: 5\t', 'hello'), seen('/x', 'POST', 'hello')),
    accepted('leading zeros', post('Content-Length: 0005', 'hello'), seen('/x', 'POST', 'hello')),
    accepted('fifteen digits', post('Content-Length: 000000000000005', 'hello'), seen('/x', 'POST', 'hello')),
    accepted('zero', post('Content-Length: 0'), seen('/x', 'POST')),
    accepted('in capitals', post('CONTENT-LENGTH: 5', 'hello'), seen('/x', 'POST', 'hello')),
    entry('more than the limit', post('Content-Length: 999999999999999', 'hello'), {
      answers: [413],
      then: 'closed',
    }),
  ],
}

/** The names that a variable `HTTP_CONTENT_LENGTH` could come from, and their like. */
export const disguised: Family<RequestCase> = {
  name: 'disguised framing names',
  source: 'names that CGI-like backends fold into the framing fields (underscore and its like)',
  cases: [
    ...each(
      [
        'Content_Length',
        'content_length',
        'Content.Length',
        'Content!Length',
        'Content~Length',
        "Content'Length",
        'Content+Length',
      ],
      (shown) => shown,
      (name, text) => refused(name, post(`${text}: 5`, 'hello')),
    ),
    ...each(
      [
        'Transfer_Encoding',
        'transfer_encoding',
        'Transfer.Encoding',
        'Transfer|Encoding',
        'Transfer^Encoding',
        'Transfer`Encoding',
      ],
      (shown) => shown,
      (name, text) => refused(name, post(`Content-Length: 0\r\n${text}: chunked`)),
    ),
    ...each(
      [
        'Content Length',
        'Content\tLength',
        'Content\xadLength',
        'Content\0Length',
        'Content--Length\x01',
        'Content-Length\xa0',
        '\xa0Content-Length',
        'Content-\x0bLength',
      ],
      (shown) => `no name: ${shown}`,
      (name, text) => refused(name, post(`${text}: 5`, 'hello')),
    ),
    ...each(
      [
        'X-Content-Length',
        'Content-Length-X',
        'ContentLength',
        'X-Transfer-Encoding',
        'Transfer-Encodin',
        'Transfer-Encodingx',
        'Transfer--Encoding',
        'TransferEncoding',
        'Content-Encoding',
      ],
      (shown) => `another name: ${shown}`,
      (name, text) => accepted(name, request(`${text}: 5`), seen()),
    ),
  ],
}
