/** RFC 9113, sections 3 to 7: connections, frames, streams. */
import { encodeFields } from '../../support/hpack.ts'
import {
  data,
  errors,
  flags,
  frame,
  frameTypes,
  get,
  goaway,
  headers,
  ping,
  post,
  preface,
  priority,
  request,
  rstStream,
  settings,
  uint32,
  windowUpdate,
  type FrameClient,
} from '../../support/http2-frames.ts'
import { alive, answered, connectionError, either, frameOf, streamError, type Case } from './verdict.ts'

const { protocol, streamClosed, frameSize, flowControl, compression } = errors
const block = encodeFields(request('GET', '/'))
const last = flags.endHeaders | flags.endStream

/** Opens stream 1, has it answered, and so closed from both sides. */
async function closeFirst(client: FrameClient): Promise<void> {
  client.send(get(1))
  await client.answer(1)
}

const forgotten = 'nghttp2 forgets streams that are over, and ignores what comes for them: nobody acts on it'

export const cases: readonly Case[] = [
  // 3.4 Connection preface
  {
    section: '3.4',
    name: 'a client preface is answered with SETTINGS',
    send: () => undefined,
    expect: frameOf('SETTINGS', ({ type }) => type === frameTypes.settings),
  },
  {
    section: '3.4',
    name: 'a preface that is none ends the connection',
    isBare: true,
    send: (client) => void client.send(Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n')),
    expect: connectionError(protocol),
  },
  {
    section: '3.4',
    name: 'a preface without SETTINGS is no preface',
    isBare: true,
    send: (client) => void client.send(preface, ping()),
    expect: connectionError(protocol),
  },

  // 4.1 Frame format
  {
    section: '4.1',
    name: 'a frame of unknown type is ignored',
    send: (client) => void client.send(frame(0xff, 0, 0, Buffer.alloc(8))),
    expect: alive(),
  },
  {
    section: '4.1',
    name: 'an undefined flag is ignored',
    send: (client) => void client.send(frame(frameTypes.ping, 0x16, 0, Buffer.alloc(8))),
    expect: alive(),
  },
  {
    section: '4.1',
    name: 'the reserved bit is ignored',
    send: (client) => void client.send(frame(frameTypes.ping, 0, 2 ** 31, Buffer.alloc(8))),
    expect: alive(),
  },

  // 4.2 Frame size
  {
    section: '4.2',
    name: 'DATA of 2^14 bytes is taken',
    send: (client) => void client.send(post(1), data(1, Buffer.alloc(16_384), true)),
    expect: answered(1),
  },
  {
    section: '4.2',
    name: 'DATA above the limit is an error',
    send: (client) => void client.send(post(1), data(1, Buffer.alloc(16_385), true)),
    expect: streamError(1, frameSize),
  },
  {
    section: '4.2',
    name: 'HEADERS above the limit end the connection',
    send: (client) => void client.send(headers(1, [...request('GET', '/'), ['x', 'a'.repeat(16_385)]], last)),
    expect: connectionError(frameSize),
  },
  {
    section: '4.2',
    name: 'SETTINGS above the limit end the connection',
    send: (client) => void client.send(settings(Array.from({ length: 2731 }, () => [99, 1] as const))),
    expect: connectionError(frameSize, errors.calm),
  },

  // 4.3 Field section compression
  {
    section: '4.3',
    name: 'a block that cannot be decoded ends the connection',
    send: (client) => void client.send(frame(frameTypes.headers, last, 1, Buffer.of(0x40))),
    expect: connectionError(compression),
  },
  {
    section: '4.3',
    name: 'PRIORITY within a block ends the connection',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 9)),
        priority(1, 0),
        frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(9)),
      ),
    expect: connectionError(protocol),
  },
  {
    section: '4.3',
    name: 'HEADERS of another stream within a block end the connection',
    send: (client) =>
      void client.send(frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 9)), get(3)),
    expect: connectionError(protocol),
  },

  // 5.1 Stream states
  {
    section: '5.1',
    name: 'idle: DATA ends the connection',
    send: (client) => void client.send(data(1, 'abc', true)),
    expect: connectionError(protocol),
  },
  {
    section: '5.1',
    name: 'idle: RST_STREAM ends the connection',
    send: (client) => void client.send(rstStream(1)),
    expect: connectionError(protocol),
  },
  {
    section: '5.1',
    name: 'idle: WINDOW_UPDATE ends the connection',
    send: (client) => void client.send(windowUpdate(1, 100)),
    expect: connectionError(protocol),
  },
  {
    section: '5.1',
    name: 'idle: CONTINUATION ends the connection',
    send: (client) => void client.send(frame(frameTypes.continuation, last, 1, block)),
    expect: connectionError(protocol),
  },
  {
    section: '5.1',
    name: 'idle: PRIORITY is taken',
    send: (client) => void client.send(priority(1, 0), get(1)),
    expect: answered(1),
  },
  {
    section: '5.1',
    name: 'half-closed (remote): DATA is an error',
    send: (client) => void client.send(get(1), data(1, 'abc', true)),
    expect: streamError(1, streamClosed),
  },
  {
    section: '5.1',
    name: 'half-closed (remote): HEADERS are an error',
    send: (client) => void client.send(get(1), headers(1, [['x', 'y']], last)),
    expect: streamError(1, streamClosed),
  },
  {
    section: '5.1',
    name: 'half-closed (remote): CONTINUATION is an error',
    send: (client) => void client.send(get(1), frame(frameTypes.continuation, flags.endHeaders, 1, block)),
    expect: streamError(1, streamClosed, protocol),
  },
  {
    section: '5.1',
    name: 'half-closed (remote): WINDOW_UPDATE is taken',
    settings: [[4, 1]],
    send: (client) => void client.send(get(1), windowUpdate(1, 1000)),
    expect: answered(1),
  },
  {
    section: '5.1',
    name: 'half-closed (remote): PRIORITY is taken',
    send: (client) => void client.send(get(1), priority(1, 0)),
    expect: answered(1),
  },
  {
    section: '5.1',
    name: 'half-closed (remote): RST_STREAM is taken',
    settings: [[4, 0]],
    send: (client) => void client.send(get(1), rstStream(1)),
    expect: alive(),
  },
  {
    section: '5.1',
    name: 'closed: DATA after RST_STREAM is an error',
    send: (client) => void client.send(post(1), rstStream(1), data(1, 'abc', true)),
    expect: streamError(1, streamClosed),
    lax: forgotten,
  },
  {
    section: '5.1',
    name: 'closed: HEADERS after RST_STREAM are an error',
    send: (client) => void client.send(post(1), rstStream(1), headers(1, [['x', 'y']], last)),
    expect: streamError(1, streamClosed),
    lax: forgotten,
  },
  {
    section: '5.1',
    name: 'closed: CONTINUATION after RST_STREAM is an error',
    send: (client) =>
      void client.send(post(1), rstStream(1), frame(frameTypes.continuation, flags.endHeaders, 1, block)),
    expect: streamError(1, streamClosed, protocol),
  },
  {
    section: '5.1',
    name: 'closed: DATA is an error',
    send: async (client) => {
      await closeFirst(client)
      client.send(data(1, 'abc', true))
    },
    expect: streamError(1, streamClosed),
    lax: forgotten,
  },
  {
    section: '5.1',
    name: 'closed: HEADERS end the connection',
    send: async (client) => {
      await closeFirst(client)
      client.send(headers(1, request('GET', '/'), last))
    },
    expect: connectionError(streamClosed, protocol),
    lax: forgotten,
  },
  {
    section: '5.1',
    name: 'closed: CONTINUATION ends the connection',
    send: async (client) => {
      await closeFirst(client)
      client.send(frame(frameTypes.continuation, flags.endHeaders, 1, block))
    },
    expect: connectionError(streamClosed, protocol),
  },
  {
    section: '5.1',
    name: 'closed: PRIORITY is taken',
    send: async (client) => {
      await closeFirst(client)
      client.send(priority(1, 0))
    },
    expect: alive(),
  },
  {
    section: '5.1.1',
    name: 'an even stream identifier ends the connection',
    send: (client) => void client.send(get(2)),
    expect: connectionError(protocol),
  },
  {
    section: '5.1.1',
    name: 'a stream identifier lower than the last ends the connection',
    send: async (client) => {
      client.send(get(5))
      await client.answer(5)
      client.send(get(3))
    },
    expect: connectionError(protocol),
    lax: 'nghttp2 takes it for a stream that it has forgotten, and ignores it',
  },
  {
    section: '5.1.2',
    name: 'streams beyond the limit are refused',
    send: async (client) => {
      const limit = await limitOf(client)
      client.send(...Array.from({ length: limit + 1 }, (_, index) => post(index * 2 + 1)))
    },
    expect: frameOf(
      'refusal',
      ({ type, payload }) =>
        type === frameTypes.rstStream && [errors.refused, protocol].includes(payload.readUInt32BE(0) as 1),
    ),
    lax: 'node:http2 without options has no limit',
  },
  {
    section: '5.3',
    name: 'HEADERS with a priority are taken',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, last | flags.priority, 1, Buffer.concat([uint32(0), Buffer.of(15), block])),
      ),
    expect: answered(1),
  },
  {
    section: '5.3',
    name: 'HEADERS that depend on themselves are taken, or an error',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, last | flags.priority, 1, Buffer.concat([uint32(1), Buffer.of(15), block])),
      ),
    expect: either(answered(1), streamError(1, protocol)),
  },
  {
    section: '5.3',
    name: 'PRIORITY that depends on itself is taken, or an error',
    send: (client) => void client.send(get(1), priority(1, 1)),
    expect: either(answered(1), streamError(1, protocol)),
  },

  // 5.4 Error handling
  {
    section: '5.4.1',
    name: 'a connection error ends the connection',
    send: (client) => void client.send(frame(frameTypes.ping, 0, 0, Buffer.alloc(7))),
    expect: connectionError(frameSize),
  },
  {
    section: '5.4.1',
    name: 'a connection error is told of',
    send: (client) => void client.send(frame(frameTypes.ping, 0, 3, Buffer.alloc(8))),
    expect: frameOf('GOAWAY', ({ type }) => type === frameTypes.goaway),
  },

  // 5.5 Extensions
  {
    section: '5.5',
    name: 'an unknown frame within a block ends the connection',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 9)),
        frame(0xff, 0, 0, Buffer.alloc(8)),
        frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(9)),
      ),
    expect: connectionError(protocol),
  },

  // 6.1 DATA
  {
    section: '6.1',
    name: 'DATA in several frames is taken',
    send: (client) => void client.send(post(1), data(1, 'abc'), data(1, 'def', true)),
    expect: answered(1),
  },
  {
    section: '6.1',
    name: 'padded DATA is taken',
    send: (client) =>
      void client.send(
        post(1),
        frame(frameTypes.data, flags.padded | flags.endStream, 1, Buffer.from('\x05abc\0\0\0\0\0', 'latin1')),
      ),
    expect: answered(1),
  },
  {
    section: '6.1',
    name: 'DATA on stream 0 ends the connection',
    send: (client) => void client.send(post(1), data(0, 'abc', true)),
    expect: connectionError(protocol),
  },
  {
    section: '6.1',
    name: 'DATA padded beyond its end ends the connection',
    send: (client) =>
      void client.send(
        post(1),
        frame(frameTypes.data, flags.padded | flags.endStream, 1, Buffer.from('\x06abc', 'latin1')),
      ),
    expect: connectionError(protocol),
  },

  // 6.2 HEADERS
  {
    section: '6.2',
    name: 'padded HEADERS are taken',
    send: (client) =>
      void client.send(
        frame(
          frameTypes.headers,
          last | flags.padded,
          1,
          Buffer.concat([Buffer.of(3), block, Buffer.alloc(3)]),
        ),
      ),
    expect: answered(1),
  },
  {
    section: '6.2',
    name: 'HEADERS on stream 0 end the connection',
    send: (client) => void client.send(get(0)),
    expect: connectionError(protocol),
  },
  {
    section: '6.2',
    name: 'HEADERS padded beyond their end end the connection',
    send: (client) =>
      void client.send(
        frame(
          frameTypes.headers,
          last | flags.padded,
          1,
          Buffer.concat([Buffer.of(block.length + 1), block]),
        ),
      ),
    expect: connectionError(protocol),
  },

  // 6.3 PRIORITY
  {
    section: '6.3',
    name: 'PRIORITY on stream 0 ends the connection',
    send: (client) => void client.send(priority(0, 1)),
    expect: connectionError(protocol),
    lax: 'nghttp2 no longer reads PRIORITY, which RFC 9113 has deprecated',
  },
  {
    section: '6.3',
    name: 'PRIORITY of another length is an error',
    send: (client) => void client.send(post(1), frame(frameTypes.priority, 0, 1, Buffer.alloc(4))),
    expect: streamError(1, frameSize),
  },

  // 6.4 RST_STREAM
  {
    section: '6.4',
    name: 'RST_STREAM on stream 0 ends the connection',
    send: (client) => void client.send(rstStream(0)),
    expect: connectionError(protocol),
  },
  {
    section: '6.4',
    name: 'RST_STREAM of another length ends the connection',
    send: (client) => void client.send(post(1), frame(frameTypes.rstStream, 0, 1, Buffer.alloc(3))),
    expect: connectionError(frameSize),
  },

  // 6.5 SETTINGS
  {
    section: '6.5',
    name: 'SETTINGS are acknowledged',
    send: (client) => void client.send(settings([[3, 100]])),
    expect: frameOf(
      'acknowledgement',
      ({ type, flags: bits }) => type === frameTypes.settings && bits === flags.ack,
    ),
  },
  {
    section: '6.5',
    name: 'acknowledged SETTINGS with content end the connection',
    send: (client) => void client.send(frame(frameTypes.settings, flags.ack, 0, Buffer.alloc(1))),
    expect: connectionError(frameSize),
  },
  {
    section: '6.5',
    name: 'SETTINGS on a stream end the connection',
    send: (client) => void client.send(frame(frameTypes.settings, 0, 1, Buffer.alloc(6))),
    expect: connectionError(protocol),
  },
  {
    section: '6.5',
    name: 'SETTINGS of another length end the connection',
    send: (client) => void client.send(frame(frameTypes.settings, 0, 0, Buffer.alloc(3))),
    expect: connectionError(frameSize),
  },
  {
    section: '6.5.2',
    name: 'ENABLE_PUSH of 2 ends the connection',
    send: (client) => void client.send(settings([[2, 2]])),
    expect: connectionError(protocol),
  },
  {
    section: '6.5.2',
    name: 'INITIAL_WINDOW_SIZE above 2^31-1 ends the connection',
    send: (client) => void client.send(settings([[4, 2 ** 31]])),
    expect: connectionError(flowControl),
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE below 2^14 ends the connection',
    send: (client) => void client.send(settings([[5, 16_383]])),
    expect: connectionError(protocol),
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE above 2^24-1 ends the connection',
    send: (client) => void client.send(settings([[5, 2 ** 24]])),
    expect: connectionError(protocol),
  },
  {
    section: '6.5.2',
    name: 'an unknown setting is ignored',
    send: (client) => void client.send(settings([[0xff, 1]])),
    expect: alive(),
  },
  {
    section: '6.5.3',
    name: 'of one setting twice the last counts',
    send: (client) =>
      void client.send(
        settings([
          [4, 100],
          [4, 1],
        ]),
        get(1),
      ),
    expect: frameOf(
      'DATA of one byte',
      ({ type, stream, payload }) => type === frameTypes.data && stream === 1 && payload.length === 1,
    ),
  },

  // 6.6 PUSH_PROMISE
  {
    section: '6.6',
    name: 'PUSH_PROMISE from a client ends the connection',
    send: (client) =>
      void client.send(frame(frameTypes.pushPromise, flags.endHeaders, 1, Buffer.concat([uint32(3), block]))),
    expect: connectionError(protocol),
  },

  // 6.7 PING
  { section: '6.7', name: 'PING is answered with the same content', send: () => undefined, expect: alive() },
  {
    section: '6.7',
    name: 'an answer to PING is not answered',
    send: (client) => void client.send(ping('unasked!', flags.ack)),
    expect: either(alive(), connectionError()),
  },
  {
    section: '6.7',
    name: 'PING on a stream ends the connection',
    send: (client) => void client.send(frame(frameTypes.ping, 0, 1, Buffer.alloc(8))),
    expect: connectionError(protocol),
  },
  {
    section: '6.7',
    name: 'PING of another length ends the connection',
    send: (client) => void client.send(frame(frameTypes.ping, 0, 0, Buffer.alloc(6))),
    expect: connectionError(frameSize),
  },

  // 6.8 GOAWAY
  {
    section: '6.8',
    name: 'GOAWAY lets streams end',
    send: (client) => void client.send(get(1), goaway(0)),
    expect: answered(1),
  },
  {
    section: '6.8',
    name: 'GOAWAY on a stream ends the connection',
    send: (client) => void client.send(frame(frameTypes.goaway, 0, 1, Buffer.alloc(8))),
    expect: connectionError(protocol),
  },

  // 6.9 WINDOW_UPDATE
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of 0 ends the connection',
    send: (client) => void client.send(windowUpdate(0, 0)),
    expect: connectionError(protocol),
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of 0 on a stream is an error',
    send: (client) => void client.send(post(1), windowUpdate(1, 0)),
    expect: streamError(1, protocol),
  },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of another length ends the connection',
    send: (client) => void client.send(frame(frameTypes.windowUpdate, 0, 0, Buffer.alloc(3))),
    expect: connectionError(frameSize),
  },
  {
    section: '6.9.1',
    name: 'no more is sent than the window allows',
    settings: [[4, 1]],
    send: (client) => void client.send(get(1)),
    expect: frameOf(
      'DATA of one byte',
      ({ type, payload }) => type === frameTypes.data && payload.length === 1,
    ),
  },
  {
    section: '6.9.1',
    name: 'a window above 2^31-1 ends the connection',
    send: (client) => void client.send(windowUpdate(0, 2 ** 31 - 1), windowUpdate(0, 2 ** 31 - 1)),
    expect: connectionError(flowControl),
  },
  {
    section: '6.9.1',
    name: 'a window of a stream above 2^31-1 is an error',
    send: (client) => void client.send(post(1), windowUpdate(1, 2 ** 31 - 1), windowUpdate(1, 2 ** 31 - 1)),
    expect: streamError(1, flowControl),
  },
  {
    section: '6.9.2',
    name: 'a larger initial window opens windows that are there',
    settings: [[4, 0]],
    send: (client) => void client.send(get(1), settings([[4, 1]])),
    expect: frameOf(
      'DATA of one byte',
      ({ type, payload }) => type === frameTypes.data && payload.length === 1,
    ),
  },
  {
    section: '6.9.2',
    name: 'a window may become negative',
    settings: [[4, 3]],
    send: async (client) => {
      client.send(get(1))
      await client.waitFor(({ type }) => type === frameTypes.data, 'DATA')
      client.send(settings([[4, 2]]), windowUpdate(1, 2))
    },
    expect: frameOf(
      'DATA of one byte',
      ({ type, payload }) => type === frameTypes.data && payload.length === 1,
    ),
  },
  {
    section: '6.9.2',
    name: 'an initial window that makes one overflow ends the connection',
    send: (client) => void client.send(post(1), windowUpdate(1, 1000), settings([[4, 2 ** 31 - 1]])),
    expect: either(connectionError(flowControl), streamError(1, flowControl)),
  },

  // 6.10 CONTINUATION
  {
    section: '6.10',
    name: 'CONTINUATION frames are taken',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 5)),
        frame(frameTypes.continuation, 0, 1, block.subarray(5, 10)),
        frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(10)),
      ),
    expect: answered(1),
  },
  {
    section: '6.10',
    name: 'another frame between them ends the connection',
    send: (client) =>
      void client.send(frame(frameTypes.headers, 0, 1, block.subarray(0, 5)), data(1, 'abc', true)),
    expect: connectionError(protocol),
  },
  {
    section: '6.10',
    name: 'CONTINUATION on stream 0 ends the connection',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, 0, 1, block.subarray(0, 5)),
        frame(frameTypes.continuation, flags.endHeaders, 0, block.subarray(5)),
      ),
    expect: connectionError(protocol),
  },
  {
    section: '6.10',
    name: 'CONTINUATION behind the end of HEADERS ends the connection',
    send: (client) => void client.send(post(1), frame(frameTypes.continuation, flags.endHeaders, 1, block)),
    expect: connectionError(protocol),
  },
  {
    section: '6.10',
    name: 'CONTINUATION behind the end of CONTINUATION ends the connection',
    send: (client) =>
      void client.send(
        frame(frameTypes.headers, 0, 1, block.subarray(0, 5)),
        frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(5)),
        frame(frameTypes.continuation, flags.endHeaders, 1, block),
      ),
    expect: connectionError(protocol),
  },
  {
    section: '6.10',
    name: 'CONTINUATION behind DATA ends the connection',
    send: (client) =>
      void client.send(post(1), data(1, 'abc'), frame(frameTypes.continuation, flags.endHeaders, 1, block)),
    expect: connectionError(protocol),
  },

  // 7 Error codes
  {
    section: '7',
    name: 'GOAWAY with an unknown code lets the connection live, or end',
    send: (client) => void client.send(goaway(0, 0xff)),
    expect: either(alive(), connectionError()),
  },
  {
    section: '7',
    name: 'RST_STREAM with an unknown code is taken',
    settings: [[4, 0]],
    send: (client) => void client.send(post(1), rstStream(1, 0xff)),
    expect: alive(),
  },
]

/** What the server says of MAX_CONCURRENT_STREAMS. */
async function limitOf(client: FrameClient): Promise<number> {
  const { payload } = await client.waitFor(({ type }) => type === frameTypes.settings, 'SETTINGS')
  for (let at = 0; at < payload.length; at += 6)
    if (payload.readUInt16BE(at) === 3) return payload.readUInt32BE(at + 2)
  return 200
}
