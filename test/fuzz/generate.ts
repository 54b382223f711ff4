/** Messages by the grammar, each part now and then replaced by what is nearly the grammar. */
import type { Random } from './random.ts'
import type { Input } from './reading.ts'

const oddBytes = [
  '\0',
  '\x01',
  '\t',
  '\n',
  '\x0b',
  '\x0c',
  '\r',
  '\x1f',
  ' ',
  '\x7f',
  '\x80',
  '\x85',
  '\xa0',
  '\xff',
  '"',
  '#',
  '%',
  ',',
  ':',
  ';',
  '=',
  '\\',
] as const
const lineEnds = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '\r\n ', '\r\n\t', ''] as const
const methods = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const
const oddMethods = [
  'get',
  'Get',
  'TRACE',
  'CONNECT',
  'PRI',
  'GETX',
  'M-SEARCH',
  'PURGE',
  'QUERY',
  'DESCRIBE',
  'SOURCE',
  '',
  'G T',
  'PROPFIND',
] as const
const targets = ['/', '/x', '/a/b?c=d', '/%20', '/?', 'http://x/', 'http://x'] as const
const oddTargets = [
  '*',
  'x',
  'x:80',
  'http://y/',
  '/#',
  '/\xff',
  '/a b',
  '',
  '/\t',
  '//',
  'https://x/a?b',
  'http://x:80/',
  '/"<>',
  '?a',
] as const
const versions = [
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.10',
  'http/1.1',
  'HTTP/1',
  'HTTP/1.1 ',
  'RTSP/1.0',
  'ICE/1.0',
  'HTTP/11',
  'HTTP/1.\n1',
] as const
const lengthValues = [
  '0',
  '5',
  '05',
  '5 ',
  '5\t',
  ' 5',
  '+5',
  '-5',
  '0x5',
  '5,5',
  '5, 5',
  '',
  '5.0',
  '1e1',
  '99999999999999999999',
  '18446744073709551616',
  '000000000000005',
  '5a',
  '\xd9\xa5',
] as const
const codings = [
  'chunked',
  'Chunked',
  'CHUNKED',
  'chunked ',
  'chunked\t',
  ' chunked',
  '\tchunked',
  'gzip, chunked',
  'chunked, chunked',
  'identity',
  'chunked;q=1',
  'xchunked',
  'chunkedx',
  '"chunked"',
  '',
  ',chunked',
  'chunked,',
  'gzip',
  'chunked, identity',
  '\x0bchunked',
] as const
const connections = [
  'close',
  'keep-alive',
  'Close',
  'Upgrade',
  'upgrade, close',
  'keep-alive, close',
  'X',
  'Transfer-Encoding',
  'Content-Length',
  'host',
  '',
  ',',
  'close\t',
  'upgrade, keep-alive',
  'close, ',
  'keep-alive\t',
  'closer',
  'close;x',
] as const
const others = [
  'X: y',
  'X:',
  'X:y',
  'X: \t y \t',
  'x-a: \xe9',
  'X: y\r\nX: z',
  'Accept: */*',
  'Expect: 100-continue',
  'Expect: x',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Sec-WebSocket-Version: 13',
  'Proxy-Connection: close',
  'Proxy-Connection: keep-alive',
  'Keep-Alive: timeout=5',
  'Trailer: X',
  'TE: trailers',
  'X : y',
  ' X: y',
  'X',
  ': y',
  'X\0: y',
  'X: \0',
  'X: y\x7f',
  'Content_Length: 5',
  'Transfer_Encoding: chunked',
  '!#$: y',
  'X(y): z',
  'X: "',
  'Set-Cookie: a=b',
  'Content-Type: text/event-stream',
  'Content-Lengt: 5',
  'Content-Lengthx: 5',
  'Transfer-Encodin: chunked',
] as const
const extensions = [
  ';a',
  ';a=b',
  ';a="b"',
  ';a="\\""',
  ';',
  ';a=',
  ' ;a',
  '; a',
  ';a;b=c',
  ';a="b',
  ';a\tb',
  ';a=b ',
  ';\n',
  ';a="\r\n"',
  ';a="\xff"',
  ';a=\xff',
  ';a="\t "',
  ';=b',
  ';"a"',
  ';a=b;',
  ';a"b"',
  ';a="b"c',
  ';a=b="c"',
  ';a= "b"',
] as const
const statuses = [
  '200',
  '204',
  '304',
  '404',
  '500',
  '100',
  '101',
  '103',
  '199',
  '206',
  '600',
  '099',
  '20',
  '2000',
  '999',
  '1xx',
] as const
const reasons = [
  ' OK',
  ' ',
  '',
  ' Not Found',
  ' \xe9',
  ' a\tb',
  '  x',
  ' x\0',
  ' x\x7f',
  '\tOK',
  'OK',
  ' a\rb',
] as const

/** One part in `rare` is odd. */
const rare = 14

function usual<T>(random: Random, common: readonly T[], odd: readonly T[]): T {
  return random.once(rare) ? random.pick(odd) : random.pick(common)
}

export function generate(random: Random): Input {
  return random.below(3) < 2 ? generateRequests(random) : generateResponses(random)
}

export function generateRequests(random: Random): Input {
  let bytes = random.once(40) ? random.pick(['\r\n', '\n', ' ', '\r']) : ''
  for (let count = random.pick([1, 1, 1, 2, 3]); count > 0; count -= 1) bytes += generateRequest(random)
  if (random.once(10)) bytes = bytes.slice(0, random.below(bytes.length + 1))
  return { side: 'request', bytes, method: 'GET', isEnded: random.once(4) }
}

function generateRequest(random: Random): string {
  const space = (): string => (random.once(40) ? random.pick(['\t', '  ', '', '\x0b', ' \t']) : ' ')
  const version = random.once(8) ? 'HTTP/1.0' : usual(random, ['HTTP/1.1'], versions)
  const line = `${usual(random, methods, oddMethods)}${space()}${usual(random, targets, oddTargets)}${space()}${version}`
  const lines: string[] = []
  if (!random.once(20))
    lines.push(random.once(30) ? `Host: ${random.pick(['y', 'x:80', '', 'x y', 'X'])}` : 'Host: x')
  return message(random, line, lines)
}

export function generateResponses(random: Random): Input {
  let bytes = ''
  for (let interims = random.pick([0, 0, 0, 0, 1, 2]); interims > 0; interims -= 1)
    bytes += `HTTP/1.1 ${random.pick(['100', '103', '102', '199'])} Hi\r\n${random.once(3) ? 'X: y\r\n' : ''}${random.once(10) ? 'Content-Length: 5\r\n' : ''}\r\n`
  const version = random.once(8) ? 'HTTP/1.0' : usual(random, ['HTTP/1.1'], versions)
  const status = random.once(3) ? random.pick(statuses) : '200'
  bytes += message(random, `${version} ${status}${usual(random, [' OK'], reasons)}`, [])
  if (random.once(6))
    bytes += random.pick(['x', '\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '\0'])
  if (random.once(10)) bytes = bytes.slice(0, random.below(bytes.length + 1))
  return {
    side: 'response',
    bytes,
    method: random.pick(['GET', 'GET', 'GET', 'POST', 'HEAD']),
    isEnded: random.once(2),
  }
}

function message(random: Random, line: string, fixed: readonly string[]): string {
  const end = (): string => (random.once(60) ? random.pick(lineEnds) : '\r\n')
  const lines = [...fixed]
  const framing = random.pick(['none', 'none', 'length', 'length', 'chunked', 'chunked', 'both'] as const)
  if (framing === 'length' || (framing === 'both' && random.once(3)))
    lines.push(
      `${usual(random, ['Content-Length'], ['content-length', 'CONTENT-LENGTH', 'Content-Length ', 'Content_Length'])}:${usual(random, [' '], ['', '\t', '  '])}${usual(random, ['5', '0', '11'], lengthValues)}`,
    )
  if (framing === 'chunked' || (framing === 'both' && random.once(3)))
    lines.push(
      `${usual(random, ['Transfer-Encoding'], ['transfer-encoding', 'Transfer-Encoding\t', 'Transfer_Encoding'])}:${usual(random, [' '], ['', '\t'])}${usual(random, ['chunked'], codings)}`,
    )
  if (random.once(4)) lines.push(`Connection: ${random.pick(connections)}`)
  for (let more = random.below(3); more > 0; more -= 1) lines.push(random.pick(others))
  if (random.once(30)) lines.push(random.pick(lines.length === 0 ? ['X: y'] : lines))
  shuffleSometimes(random, lines)
  const body =
    framing === 'chunked'
      ? chunkedBody(random)
      : framing === 'none'
        ? random.once(8)
          ? 'hello'
          : ''
        : 'hello world'.slice(0, random.pick([5, 5, 11, 0, 4]))
  return `${line}${end()}${lines.map((each) => each + end()).join('')}${end()}${body}`
}

function chunkedBody(random: Random): string {
  const end = (): string => (random.once(40) ? random.pick(lineEnds) : '\r\n')
  const extension = (): string => (random.once(6) ? random.pick(extensions) : '')
  let body = ''
  for (let count = random.below(4); count > 0; count -= 1) {
    const data = 'hello world, hello'.slice(0, 1 + random.below(18))
    const size = data.length.toString(16)
    const written = usual(
      random,
      [size, size.toUpperCase(), `0${size}`],
      [
        ` ${size}`,
        `${size} `,
        `0x${size}`,
        `+${size}`,
        `-${size}`,
        `00000000${size}`,
        'fffffffff',
        '',
        'g',
        `${size}\t`,
        (data.length + 1).toString(16),
        '0',
      ],
    )
    body += `${written}${extension()}${end()}${data}${end()}`
  }
  const last = usual(random, ['0'], ['00', '0 ', '-0', '00000000', '000000000', '0x0', ''])
  let trailers = ''
  if (random.once(4))
    for (let count = 1 + random.below(2); count > 0; count -= 1) trailers += `${random.pick(others)}${end()}`
  if (random.once(20))
    trailers += `${random.pick(['Content-Length: 5', 'Transfer-Encoding: chunked', 'Connection: close', 'Host: y', 'Content-Length: x'])}${end()}`
  return `${body}${last}${extension()}${end()}${trailers}${end()}`
}

function shuffleSometimes(random: Random, lines: string[]): void {
  if (!random.once(2)) return
  for (let index = lines.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1)
    const line = lines[index]!
    lines[index] = lines[other]!
    lines[other] = line
  }
}

const pieces = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '=',
  '"',
  '0',
  '1',
  '5',
  'a',
  'f',
  'chunked',
  'Content-Length: 5\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: y\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: Upgrade\r\nUpgrade: x\r\n',
  '\r\n\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  ';a=b',
  '#',
  '\\',
  'HTTP/1.1',
  'HTTP/1.0',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'HTTP/1.1 200 OK\r\n',
  ' ',
  'X: y\r\n',
] as const
/** Each is put where another of them stands. */
const exchanges = [
  [
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Host',
    'content-length',
    'TRANSFER-ENCODING',
    'Content_Length',
    'Upgrade',
    'Expect',
  ],
  ['chunked', 'gzip', 'identity', 'Chunked', 'chunked, chunked', 'close', 'keep-alive'],
  ['HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0'],
  ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT'],
  ['200', '204', '304', '100', '101'],
  ['\r\n', '\n', '\r', '\r\n ', '\n\r\n', '\r\r\n'],
  ['0', '1', '5', 'a', 'A', 'ffffffff', '00'],
] as const

/** Changes an input in one to four places. */
export function mutate(random: Random, input: Input, other: Input): Input {
  let { bytes } = input
  for (let count = random.pick([1, 1, 1, 2, 3, 4]); count > 0; count -= 1)
    bytes = change(random, bytes, other.bytes)
  return { ...input, bytes: bytes.slice(0, 8192) }
}

function change(random: Random, bytes: string, other: string): string {
  const at = random.below(bytes.length + 1)
  const put = (from: number, to: number, text: string): string =>
    bytes.slice(0, from) + text + bytes.slice(to)
  switch (random.below(9)) {
    case 0:
      return put(at, at + 1, String.fromCharCode((bytes.charCodeAt(at) || 0) ^ (1 << random.below(8))))
    case 1:
      return put(at, at + 1, random.pick(oddBytes))
    case 2:
      return put(at, at, random.pick(oddBytes))
    case 3:
      return put(at, at, random.pick(pieces))
    case 4:
      return put(at, at + 1 + random.below(4), '')
    case 5:
      return exchange(random, bytes)
    case 6:
      return duplicateLine(random, bytes)
    case 7: {
      const from = random.below(other.length + 1)
      return put(at, random.once(2) ? bytes.length : at, other.slice(from, from + 1 + random.below(80)))
    }
    default:
      return put(at, at, String.fromCharCode(random.below(256)))
  }
}

function exchange(random: Random, bytes: string): string {
  const family = random.pick(exchanges) as readonly string[]
  const present = family.filter((text) => bytes.includes(text))
  if (present.length === 0) return bytes
  const text = random.pick(present)
  const places: number[] = []
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) places.push(at)
  const at = random.pick(places)
  return bytes.slice(0, at) + random.pick(family) + bytes.slice(at + text.length)
}

function duplicateLine(random: Random, bytes: string): string {
  const lines = bytes.split('\r\n')
  const from = random.below(lines.length)
  lines.splice(random.below(lines.length), random.once(3) ? 1 : 0, lines[from]!)
  return lines.join('\r\n')
}
