/** A service that speaks HTTP/2, in exactly the frames that a test writes. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { encodeFields, type Fields } from './hpack.ts'
import {
  data,
  flags,
  frame,
  frameTypes,
  FrameClient,
  preface,
  settings,
  type StreamAnswer,
} from './http2-frames.ts'

/** One connection as the service sees it. */
export class FrameServer extends FrameClient {
  /** Waits until a request is there whose stream was not taken yet. @returns its stream */
  async request(): Promise<number> {
    const stream = await this.until(
      () =>
        this.frames.find(({ type, stream }) => type === frameTypes.headers && !this.#taken.has(stream))
          ?.stream,
      'a request',
    )
    this.#taken.add(stream)
    return stream
  }

  readonly #taken = new Set<number>()

  /** Waits until the request on the stream is over, whole or not. */
  whole(stream: number): Promise<StreamAnswer> {
    return this.answer(stream)
  }

  head(stream: number, status: number, fields: Fields = [], isLast = false): this {
    const bits = flags.endHeaders | (isLast ? flags.endStream : 0)
    return this.send(
      frame(frameTypes.headers, bits, stream, encodeFields([[':status', String(status)], ...fields])),
    )
  }

  data(stream: number, body: string | Uint8Array, isLast = false): this {
    return this.send(data(stream, body, isLast))
  }

  trailers(stream: number, fields: Fields): this {
    return this.send(
      frame(frameTypes.headers, flags.endHeaders | flags.endStream, stream, encodeFields(fields)),
    )
  }
}

export interface Http2Upstream {
  readonly url: string
  readonly connections: FrameServer[]
}

export interface Http2UpstreamOptions {
  /** What its SETTINGS say; `false`: it says nothing by itself. */
  readonly settings?: readonly (readonly [id: number, value: number])[] | false
}

/** @param behave runs for each connection; closed when the test is over */
export async function http2Upstream(
  behave: (connection: FrameServer, index: number) => Promise<void> | void,
  options: Http2UpstreamOptions = {},
): Promise<Http2Upstream> {
  const connections: FrameServer[] = []
  let failure: Error | undefined
  const server = createServer((socket) => {
    const connection = new FrameServer(socket, 5000, preface.length)
    connections.push(connection)
    if (options.settings !== false) connection.send(settings(options.settings ?? []))
    Promise.resolve(behave(connection, connections.length - 1)).catch((error: unknown) => {
      // The gateway may go away in the middle of what a test planned; but a failed expectation counts.
      if (error instanceof Error && error.name === 'AssertionError') failure ??= error
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const connection of connections) connection.destroy()
    server.close()
    if (failure !== undefined) throw failure
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections }
}
