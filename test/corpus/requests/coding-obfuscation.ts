/** Transfer-Encoding in disguise: one reader sees a chunked body, another sees none. */
import {
  accepted,
  each,
  either,
  post,
  refused,
  request,
  seen,
  smuggled,
  type Family,
  type RequestCase,
} from '../request-case.ts'

const empty = '0\r\n\r\n'
const hello = '5\r\nhello\r\n0\r\n\r\n'
const got = seen('/x', 'POST', 'hello')

const values = [
  'xchunked',
  'chunkedx',
  'chunked-',
  'chunked1',
  'chunke',
  'hunked',
  'chun ked',
  'chunked chunked',
  'chunked; q=1',
  'chunked;q=1',
  'chunked;',
  ';chunked',
  '"chunked"',
  "'chunked'",
  '"chunked',
  'chunked"',
  '(chunked)',
  '[chunked]',
  'chunked(x)',
  'chunked, chunked',
  'chunked,chunked',
  'chunked, identity',
  'identity, chunked',
  'gzip, chunked',
  'chunked, gzip',
  'deflate, chunked',
  'chunked, x',
  'x, chunked',
  ', chunked',
  ',chunked',
  'chunked,',
  'chunked ,',
  ',,chunked',
  'chunked,,',
  'identity',
  'gzip',
  'compress',
  'x',
  '',
  ' ',
  'null',
  'cow',
  'chunked\0',
  '\0chunked',
  'chun\0ked',
  'chunked\x01',
  '\x01chunked',
  '\x0bchunked',
  'chunked\x0b',
  '\x0cchunked',
  'chunked\x0c',
  '\xa0chunked',
  'chunked\xa0',
  '\x85chunked',
  'chunked\x85',
  '\xffchunked',
  'chunked\xff',
  '\x7fchunked',
  'chunked\x7f',
  '\x1fchunked',
  'chunked\x1f',
  'chunk\xe9d',
  'chun\xe2\x84\xaaed',
  '\xef\xbb\xbfchunked',
  'chunked\\',
  '\\chunked',
  'chunked/1',
  'chunked:',
  ':chunked',
  'chunked=1',
  'chunked\r',
  '\rchunked',
  'chunked\n',
  '\nchunked',
  'chunked\r\r',
  'ch\runked',
  'chunked#',
  'chunked?',
  '*',
  'chunked, *',
  'trailers',
  'chunked\ttrailers',
  'Chunked, Chunked',
  'CHUNKED;x',
]

const lines = [
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked',
  'Transfer-Encoding\x0b: chunked',
  'Transfer-Encoding\x0c: chunked',
  'Transfer-Encoding\xa0: chunked',
  'Transfer-Encoding\0: chunked',
  'Transfer-Encoding\x01: chunked',
  'Transfer-Encoding\r: chunked',
  'Transfer-Encoding\n: chunked',
  'Transfer-Encoding\xff: chunked',
  ' Transfer-Encoding: chunked',
  '\tTransfer-Encoding: chunked',
  '\x0bTransfer-Encoding: chunked',
  '\x0cTransfer-Encoding: chunked',
  '\0Transfer-Encoding: chunked',
  '\xa0Transfer-Encoding: chunked',
  '\rTransfer-Encoding: chunked',
  '\nTransfer-Encoding: chunked',
  '\x1fTransfer-Encoding: chunked',
  '\x7fTransfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding:\r\n\tchunked',
  'Transfer-Encoding: \r\n chunked',
  'Transfer-Encoding: chun\r\n ked',
  'Transfer-Encoding: chunked\r\n , gzip',
  'Transfer-Encoding\r\n : chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'X:\nTransfer-Encoding: chunked',
  'X: y\r\rTransfer-Encoding: chunked',
  'X: y\n\rTransfer-Encoding: chunked',
  '\rX: y\nTransfer-Encoding: chunked',
  'X: y\n\nTransfer-Encoding: chunked',
  'Transfer-Encoding chunked',
  'Transfer-Encoding=chunked',
  'Transfer-Encoding; chunked',
  'Transfer-Encoding: chunked\nX: y',
  'Transfer-Encoding: chunked\rX: y',
  'Transfer\rEncoding: chunked',
  'Transfer\nEncoding: chunked',
  'Transfer Encoding: chunked',
  'Transfer\xadEncoding: chunked',
  'Tran\\sfer-Encoding: chunked',
  '"Transfer-Encoding": chunked',
  '(Transfer-Encoding): chunked',
  'Transfer-\xc4\xb1ncoding: chunked',
  'Foo\r\nTransfer-Encoding: chunked',
  ':Transfer-Encoding: chunked',
  ': chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding',
  'Transfer-Encoding:chunked\0',
  '\xef\xbb\xbfTransfer-Encoding: chunked',
  'Transfer-Encoding::chunked',
  'Transfer-Encoding: :chunked',
]

const several = [
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
  'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'Transfer-encoding: chunked\r\nTransfer-Encoding: cow',
  'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nX: y\r\nTransfer-Encoding: gzip',
  'Transfer-Encoding:\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding:',
  'Transfer-Encoding: chunked\r\ntransfer-encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer_Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent_Length: 0',
]

/** defparam's smuggler: one odd byte at each of ten places. */
const oddBytes = [0x01, 0x04, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1f, 0x20, 0x7f, 0xa0, 0xff]
const places: Readonly<Record<string, (odd: string) => string>> = {
  midspace: (odd) => `Transfer-Encoding:${odd}chunked`,
  postspace: (odd) => `Transfer-Encoding${odd}: chunked`,
  prespace: (odd) => `${odd}Transfer-Encoding: chunked`,
  endspace: (odd) => `Transfer-Encoding: chunked${odd}`,
  xprespace: (odd) => `X: X${odd}Transfer-Encoding: chunked`,
  endspacex: (odd) => `Transfer-Encoding: chunked${odd}X: X`,
  rxprespace: (odd) => `X: X\r${odd}Transfer-Encoding: chunked`,
  xnprespace: (odd) => `X: X${odd}\nTransfer-Encoding: chunked`,
  endspacerx: (odd) => `Transfer-Encoding: chunked\r${odd}X: X`,
  endspacexn: (odd) => `Transfer-Encoding: chunked${odd}\nX: X`,
}
const whiteSpace = new Set([0x09, 0x20])
const inValues = new Set([0x09, 0x20, 0xa0, 0xff])
/** Where the byte only completes a line break. */
const lineBreak: Readonly<Record<string, number>> = {
  rxprespace: 0x0a,
  endspacerx: 0x0a,
  xnprespace: 0x0d,
  endspacexn: 0x0d,
}

function mutation(place: string, byte: number): RequestCase[] {
  const line = places[place]!(String.fromCharCode(byte))
  const name = `${place} 0x${byte.toString(16).padStart(2, '0')}`
  const hidesCoding = place === 'xprespace' && inValues.has(byte)
  const isPlain =
    lineBreak[place] === byte || (whiteSpace.has(byte) && (place === 'midspace' || place === 'endspace'))
  const withLength = post(`Content-Length: 5\r\n${line}`, empty)
  return [
    hidesCoding
      ? accepted(`${name}, beside a length`, withLength, seen('/x', 'POST', empty))
      : refused(`${name}, beside a length`, withLength),
    // RFC 9110 has a tab there for white space; llhttp does not.
    place === 'endspace' && byte === 0x09
      ? either(`${name}, alone`, post(line, hello), got)
      : hidesCoding
        ? accepted(`${name}, alone`, post(line), seen('/x', 'POST'))
        : isPlain
          ? accepted(`${name}, alone`, post(line, hello), got)
          : refused(`${name}, alone`, post(line, hello)),
  ]
}

export const teTe: Family<RequestCase> = {
  name: 'TE.TE',
  source:
    'a Transfer-Encoding that only one of two readers recognises (Kettle 2019; PortSwigger; CVE-2021-22959)',
  cases: [
    ...each(
      values,
      (shown) => `the value '${shown}'`,
      (name, value) => refused(name, post(`Transfer-Encoding: ${value}`, hello)),
    ),
    ...each(
      values.filter((_, index) => index % 3 === 0),
      (shown) => `the value '${shown}' beside a length`,
      (name, value) => refused(name, post(`Content-Length: 5\r\nTransfer-Encoding: ${value}`, empty)),
    ),
    ...each(
      lines,
      (shown) => `the line ${shown}`,
      (name, line) => refused(name, post(line, hello)),
    ),
    ...each(
      lines,
      (shown) => `the line ${shown} beside a length`,
      (name, line) => refused(name, post(`Content-Length: 5\r\n${line}`, empty)),
    ),
    ...each(
      several,
      (shown) => `the lines ${shown}`,
      (name, line) => refused(name, post(line, hello)),
    ),
    refused('a coding in GET that is not chunked', request('Transfer-Encoding: gzip', smuggled)),
    refused(
      'a coding in HEAD that is not chunked',
      request('Transfer-Encoding: identity', smuggled, { method: 'HEAD' }),
    ),
    ...each(
      [
        'Transfer-Encoding: chunked',
        'Transfer-Encoding:chunked',
        'transfer-encoding: chunked',
        'TRANSFER-ENCODING: CHUNKED',
        'tRANSFER-eNCODING: cHUNKED',
        'Transfer-Encoding: \t chunked ',
      ],
      (shown) => `plain enough: ${shown}`,
      (name, line) => accepted(name, post(line, hello), got),
    ),
    accepted(
      'Connection names it',
      post('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked', hello),
      got,
    ),
    accepted('TE is no coding', post('TE: chunked\r\nContent-Length: 5', 'hello'), got),
  ],
}

export const smugglerMutations: Family<RequestCase> = {
  name: 'TE.TE by one odd byte',
  source: 'the mutations of defparam/smuggler (default configuration)',
  cases: Object.keys(places).flatMap((place) => oddBytes.flatMap((byte) => mutation(place, byte))),
}
