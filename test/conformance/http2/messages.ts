/** RFC 9113, section 8 (HTTP messages), and RFC 7541 (HPACK). */
import {
  encodeFields,
  encodeHuffman,
  encodeIndexed,
  encodeInteger,
  encodeReference,
  encodeTableSize,
  encodeText,
  type Fields,
} from '../../support/hpack.ts'
import {
  data,
  errors,
  flags,
  frame,
  frameTypes,
  get,
  headers,
  post,
  request,
} from '../../support/http2-frames.ts'
import { answered, connectionError, frameOf, streamError, type Case } from './verdict.ts'

const { protocol, compression } = errors
const last = flags.endHeaders | flags.endStream
const base = request('GET', '/')
const without = (name: string): Fields => base.filter(([each]) => each !== name)

function malformed(section: string, name: string, fields: Fields): Case {
  return {
    section,
    name,
    send: (client) => void client.send(headers(1, fields, last)),
    expect: streamError(1, protocol),
  }
}

/** A head whose last line is written as told. */
function withLine(name: string, line: Buffer): Case {
  return {
    section: 'HPACK 6',
    name,
    send: (client) =>
      void client.send(frame(frameTypes.headers, last, 1, Buffer.concat([encodeFields(base), line]))),
    expect: answered(1),
  }
}

function undecodable(section: string, name: string, line: Buffer): Case {
  return {
    section,
    name,
    send: (client) =>
      void client.send(frame(frameTypes.headers, last, 1, Buffer.concat([encodeFields(base), line]))),
    expect: connectionError(compression),
  }
}

/** In Huffman codes. */
const huffman = { name: encodeHuffman('user-agent'), value: encodeHuffman('h2') } as const
const agent = encodeText('user-agent')
const value = encodeText('h2')

export const cases: readonly Case[] = [
  // 8.1 Framing
  {
    section: '8.1',
    name: 'GET is answered',
    send: (client) => void client.send(get(1)),
    expect: answered(1),
  },
  {
    section: '8.1',
    name: 'HEAD is answered without content',
    send: (client) => void client.send(headers(1, request('HEAD', '/'), last)),
    expect: frameOf(
      'HEADERS that end the stream',
      ({ type, flags: bits }) => type === frameTypes.headers && (bits & flags.endStream) !== 0,
    ),
  },
  {
    section: '8.1',
    name: 'POST is answered',
    send: (client) => void client.send(post(1), data(1, 'abc', true)),
    expect: answered(1),
  },
  {
    section: '8.1',
    name: 'POST with trailers is answered',
    send: (client) => void client.send(post(1), data(1, 'abc'), headers(1, [['x-trailer', '1']], last)),
    expect: answered(1),
  },
  {
    section: '8.1',
    name: 'a second head that does not end the stream is an error',
    send: (client) => void client.send(post(1), headers(1, [['x', 'y']])),
    expect: streamError(1, protocol),
  },
  {
    section: '8.1.1',
    name: 'a length that DATA does not have is an error',
    send: (client) => void client.send(post(1, '/', [['content-length', '1']]), data(1, 'abc', true)),
    expect: streamError(1, protocol),
  },
  {
    section: '8.1.1',
    name: 'a length that several DATA frames do not have is an error',
    send: (client) =>
      void client.send(post(1, '/', [['content-length', '1']]), data(1, 'a'), data(1, 'bc', true)),
    expect: streamError(1, protocol),
  },
  {
    section: '8.1.1',
    name: 'a length without DATA is an error',
    send: (client) => void client.send(headers(1, [...base, ['content-length', '1']], last)),
    expect: streamError(1, protocol),
  },

  // 8.2 Fields
  malformed('8.2.1', 'an upper-case name is an error', [...base, ['X-Test', 'ok']]),
  malformed('8.2.2', 'Connection is an error', [...base, ['connection', 'keep-alive']]),
  malformed('8.2.2', 'Keep-Alive is an error', [...base, ['keep-alive', 'timeout=5']]),
  malformed('8.2.2', 'Proxy-Connection is an error', [...base, ['proxy-connection', 'keep-alive']]),
  malformed('8.2.2', 'Transfer-Encoding is an error', [...base, ['transfer-encoding', 'chunked']]),
  malformed('8.2.2', 'Upgrade is an error', [...base, ['upgrade', 'h2c']]),
  malformed('8.2.2', 'TE other than trailers is an error', [...base, ['te', 'trailers, deflate;q=0.5']]),
  {
    section: '8.2.2',
    name: 'TE: trailers is taken',
    send: (client) => void client.send(get(1, '/', [['te', 'trailers']])),
    expect: answered(1),
  },

  // 8.3 Pseudo-fields
  malformed('8.3', 'an unknown pseudo-field is an error', [...base, [':test', 'ok']]),
  malformed('8.3', 'the pseudo-field of answers is an error', [...base, [':status', '200']]),
  malformed('8.3', 'a pseudo-field behind a field is an error', [
    ...without(':path'),
    ['x-test', 'ok'],
    [':path', '/'],
  ]),
  {
    section: '8.3',
    name: 'a pseudo-field in trailers is an error',
    send: (client) => void client.send(post(1), data(1, 'abc'), headers(1, [[':method', 'POST']], last)),
    expect: streamError(1, protocol),
  },
  malformed(
    '8.3.1',
    'an empty path is an error',
    base.map(([name, was]) => [name, name === ':path' ? '' : was]),
  ),
  malformed('8.3.1', 'no method is an error', without(':method')),
  malformed('8.3.1', 'no scheme is an error', without(':scheme')),
  malformed('8.3.1', 'no path is an error', without(':path')),
  malformed('8.3.1', 'two methods are an error', [...base, [':method', 'POST']]),
  malformed('8.3.1', 'two schemes are an error', [...base, [':scheme', 'https']]),
  malformed('8.3.1', 'two paths are an error', [...base, [':path', '/']]),
  malformed('8.3.1', 'two authorities are an error', [...base, [':authority', 'other.example']]),

  // HPACK, what must be understood
  withLine('an indexed field', encodeReference(16)),
  withLine('a literal that is indexed, name by index', Buffer.concat([Buffer.of(0x7a), value])),
  withLine(
    'a literal that is indexed, name by index, in Huffman codes',
    Buffer.concat([Buffer.of(0x7a), huffman.value]),
  ),
  withLine('a literal that is indexed, new name', encodeIndexed('user-agent', 'h2')),
  withLine(
    'a literal that is indexed, new name, in Huffman codes',
    Buffer.concat([Buffer.of(0x40), huffman.name, huffman.value]),
  ),
  withLine('a literal that is not indexed, name by index', Buffer.concat([Buffer.of(0x0f, 0x2b), value])),
  withLine(
    'a literal that is not indexed, name by index, in Huffman codes',
    Buffer.concat([Buffer.of(0x0f, 0x2b), huffman.value]),
  ),
  withLine('a literal that is not indexed, new name', Buffer.concat([Buffer.of(0x00), agent, value])),
  withLine(
    'a literal that is not indexed, new name, in Huffman codes',
    Buffer.concat([Buffer.of(0x00), huffman.name, huffman.value]),
  ),
  withLine('a literal that is never indexed, name by index', Buffer.concat([Buffer.of(0x1f, 0x2b), value])),
  withLine(
    'a literal that is never indexed, name by index, in Huffman codes',
    Buffer.concat([Buffer.of(0x1f, 0x2b), huffman.value]),
  ),
  withLine('a literal that is never indexed, new name', Buffer.concat([Buffer.of(0x10), agent, value])),
  withLine(
    'a literal that is never indexed, new name, in Huffman codes',
    Buffer.concat([Buffer.of(0x10), huffman.name, huffman.value]),
  ),
  {
    section: 'HPACK 6.3',
    name: 'a change of the table',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, last, 1, Buffer.concat([encodeTableSize(1), encodeFields(base)])),
      ),
    expect: answered(1),
  },
  {
    section: 'HPACK 6.3',
    name: 'two changes of the table',
    send: (client) =>
      void client.send(
        frame(
          frameTypes.headers,
          last,
          1,
          Buffer.concat([encodeTableSize(1), encodeTableSize(4096), encodeFields(base)]),
        ),
      ),
    expect: answered(1),
  },

  // HPACK, what must be an error
  undecodable('HPACK 2.3.3', 'an index beyond the tables ends the connection', encodeReference(70)),
  undecodable(
    'HPACK 2.3.3',
    'a name by an index beyond the tables ends the connection',
    Buffer.concat([encodeInteger(70, 6, 0x40), value]),
  ),
  undecodable('HPACK 4.2', 'a change of the table behind fields ends the connection', encodeTableSize(1)),
  undecodable(
    'HPACK 5.2',
    'more than 7 bits behind a Huffman code end the connection',
    Buffer.concat([Buffer.of(0x00), agent, encodeHuffman('h2', '1'.repeat(11))]),
  ),
  undecodable(
    'HPACK 5.2',
    'zeros behind a Huffman code end the connection',
    Buffer.concat([Buffer.of(0x00), agent, encodeHuffman('hh', '0000')]),
  ),
  undecodable(
    'HPACK 5.2',
    'the end of a text within it ends the connection',
    Buffer.concat([Buffer.of(0x00), agent, encodeHuffman('h2', `${'1'.repeat(30)}${'0'.repeat(5)}`)]),
  ),
  undecodable('HPACK 6.1', 'index 0 ends the connection', Buffer.of(0x80)),
  {
    section: 'HPACK 6.3',
    name: 'a table larger than was agreed ends the connection',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, last, 1, Buffer.concat([encodeTableSize(4097), encodeFields(base)])),
      ),
    expect: connectionError(compression),
  },
]
