/** Field lines that two readers cut into other names and values. */
import {
  laxOnNode,
  accepted,
  closing,
  caseKey,
  each,
  either,
  entry,
  host,
  refused,
  request,
  seen,
  type Family,
  type RequestCase,
} from '../request-case.ts'

const controls = Array.from({ length: 33 }, (_, byte) => (byte === 32 ? 0x7f : byte)).filter(
  (byte) => byte !== 9,
)
const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`
const char = (byte: number): string => String.fromCharCode(byte)

export const names: Family<RequestCase> = {
  name: 'field names',
  source:
    'names that are no tokens, and white space around them (RFC 9112, section 5.1; http-garden; Http11Probe)',
  cases: [
    ...each(
      [' ', '\t', '  ', '\x0b', '\x0c', '\xa0', '\x85', '\0', '\x01', '\r', '\n'],
      (shown) => `'${shown}' before the colon`,
      (name, space) => refused(name, request(`X-A${space}: b`)),
    ),
    ...each(
      [' ', '\t', '\x0b', '\x0c', '\xa0', '\x85', '\0', '\x01'],
      (shown) => `'${shown}' before the name`,
      (name, space) => refused(name, request(`${space}X-A: b`)),
    ),
    ...each(
      [
        ' ',
        '\t',
        '\0',
        '\x01',
        '\x7f',
        '\x80',
        '\xa0',
        '\xe9',
        '\xff',
        '"',
        '(',
        ')',
        ',',
        '/',
        ';',
        '<',
        '=',
        '>',
        '?',
        '@',
        '[',
        '\\',
        ']',
        '{',
        '}',
      ],
      (shown) => `'${shown}' in the name`,
      (name, odd) => refused(name, request(`X${odd}A: b`)),
    ),
    ...each(
      [': b', ':', ': ', '::', ':\tb', ' : b', ':\r\n b'],
      (shown) => `no name: '${shown}'`,
      (name, text) => refused(name, request(text)),
    ),
    ...each(
      ['X-A', 'X-A b', 'GET /smuggled HTTP/1.1', 'X', '5', '=', 'X-A;b', 'X-A=b'],
      (shown) => `no colon: '${shown}'`,
      (name, text) => refused(name, request(text)),
    ),
    ...each(
      ["!#$%&'*+-.^_`|~", '0', 'x', '_', 'X--A', '-', "'", 'X.A'],
      (shown) => `a token: ${shown}`,
      (name, text) => accepted(name, request(`${text}: b`), seen()),
    ),
    refused(
      'no colon in the first line',
      `GET /x HTTP/1.1\r\nFoo\r\nHost: ${host}\r\nX-Api-Key: ${caseKey}\r\n\r\n`,
    ),
    refused(
      'no name in the first line',
      `GET /x HTTP/1.1\r\n: b\r\nHost: ${host}\r\nX-Api-Key: ${caseKey}\r\n\r\n`,
    ),
    refused(
      'white space in the first line',
      `GET /x HTTP/1.1\r\n \r\nHost: ${host}\r\nX-Api-Key: ${caseKey}\r\n\r\n`,
    ),
  ],
}

export const values: Family<RequestCase> = {
  name: 'field values',
  source: 'control characters and other bytes in values (RFC 9110, section 5.5; CVE-2022-32214)',
  cases: [
    ...controls.map((byte) => refused(`${hex(byte)} in a value`, request(`X-A: b${char(byte)}c`))),
    ...[0, 1, 0x0b, 0x0c, 0x1f, 0x7f].flatMap((byte) => [
      refused(`${hex(byte)} before a value`, request(`X-A: ${char(byte)}b`)),
      refused(`${hex(byte)} behind a value`, request(`X-A: b${char(byte)}`)),
      refused(`${hex(byte)} right behind the colon`, request(`X-A:${char(byte)}b`)),
      refused(`${hex(byte)} as the value`, request(`X-A:${char(byte)}`)),
    ]),
    ...each(
      [
        '\t',
        '\x80',
        '\x85',
        '\xa0',
        '\xc3\xa9',
        '\xe9',
        '\xff',
        '"',
        '\\',
        ':',
        '=',
        ' ',
        '%0d%0a',
        '%0aTransfer-Encoding: chunked',
        '\xe5\x98\x8a\xe5\x98\x8d',
      ],
      (shown) => `'${shown}' passes in a value`,
      (name, text) => accepted(name, request(`X-A: b${text}c`), seen()),
    ),
    accepted('an empty value', request('X-A:'), seen()),
    accepted('a value of white space', request('X-A: \t \t'), seen()),
    accepted('no white space', request('X-A:b'), seen()),
    accepted('much white space', request(`X-A:${' '.repeat(300)}b${'\t'.repeat(300)}`), seen()),
    accepted('the same name many times', request('X-A: b\r\nX-A: c\r\nx-a: d'), seen()),
  ],
}

export const connection: Family<RequestCase> = {
  name: 'Connection',
  source: 'a Connection field that makes the next reader drop what decides (Davison 2019, hop-by-hop abuse)',
  cases: [
    ...each(
      [
        'Host',
        'host',
        'Authorization',
        'Cookie',
        'Content-Length',
        'X-Auth-Subject',
        'x_auth_roles',
        'X-Portcullis-Assertion',
        'X-Forwarded-For',
        'X-Forwarded-Host',
        'X-Forwarded-Proto',
        'Forwarded',
        'Client-Cert',
        'close, Host',
        'keep-alive, cookie, x',
        ',, host',
        'HOST ',
        '\tHost',
      ],
      (shown) => `names ${shown}`,
      (name, text) => refused(name, request(`Connection: ${text}`)),
    ),
    refused('names Host in a second line', request('Connection: keep-alive\r\nConnection: Host')),
    ...each(
      [
        'a b',
        '"Host"',
        'Host;q=1',
        'Host=1',
        '(Host)',
        'a\\b',
        'H\xe9st',
        '\xa0close',
        'close\xa0',
        'keep-alive, \xa0X-A',
        '\xa0Host',
        'x@y',
        'x: y',
      ],
      (shown) => `no list of names: ${shown}`,
      (name, text) => refused(name, request(`Connection: ${text}`)),
    ),
    ...each(
      [
        'keep-alive',
        'Keep-Alive',
        'KEEP-ALIVE',
        ', ,',
        '',
        'X-A',
        'TE',
        'x, y, z',
        'Transfer-Encoding',
        'Upgrade',
        'Proxy-Connection',
      ],
      (shown) => `harmless: '${shown}'`,
      (name, text) => accepted(name, request(`Connection: ${text}\r\nX-A: b`), seen()),
    ),
    ...each(
      ['close', 'Close', 'CLOSE', 'keep-alive, close', 'close, keep-alive', 'x, close', ',close,'],
      (shown) => `closes: '${shown}'`,
      (name, text) => closing(accepted(name, request(`Connection: ${text}`), seen())),
    ),
    closing(
      accepted('closes in a second line', request('Connection: keep-alive\r\nConnection: close'), seen()),
    ),
    closing(accepted('Proxy-Connection means nothing', request('Proxy-Connection: close'), seen()), 'either'),
    accepted('Keep-Alive means nothing', request('Keep-Alive: timeout=0, max=1'), seen()),
  ],
}

const long = (size: number): string => 'a'.repeat(size)

export const sizes: Family<RequestCase> = {
  name: 'heads beyond bounds',
  source: 'heads too large to be kept, and readers that cut them (RFC 9110, section 5.4; CVE-2024-22019)',
  cases: [
    refused('a target of 20 KiB', request('', '', { target: `/${long(20_000)}` }), 414),
    refused('a query of 20 KiB', request('', '', { target: `/?${long(20_000)}` }), 414),
    refused('a value of 20 KiB', request(`X-A: ${long(20_000)}`), 431),
    refused('a name of 20 KiB', request(`${long(20_000)}: b`), 431),
    refused(
      '101 fields',
      request(Array.from({ length: 101 }, (_, index) => `X-${index}: y`).join('\r\n')),
      431,
    ),
    refused('a thousand fields', request(Array.from({ length: 1000 }, () => 'X: y').join('\r\n')), 431),
    laxOnNode(refused('white space of 1 MiB', request(`X-A:${' '.repeat(1024 * 1024)}b`), 'refusal'), [
      seen(),
    ]),
    refused('a method of 21 letters', line21('A'.repeat(21))),
    refused('a method of 4 KiB', line21('A'.repeat(4096))),
    accepted(
      '98 fields',
      request(Array.from({ length: 96 }, (_, index) => `X-${index}: y`).join('\r\n')),
      seen(),
    ),
    accepted('a value of 8 KiB', request(`X-A: ${long(8192)}`), seen()),
    either('a target of 8 KiB', request('', '', { target: `/${long(8192)}` }), seen(`/${long(8192)}`)),
    entry('a length of 100 MiB', request('Content-Length: 104857600', 'hello', { method: 'POST' }), {
      answers: [413],
      then: 'closed',
    }),
  ],
}

function line21(method: string): string {
  return request('', '', { method })
}
