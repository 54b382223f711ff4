/** One connection to a target that carries many requests. */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { handleOf, keepSessionOf, type SessionHandle } from '../../http2/keeper.ts'
import { ConnectError, openSocket, type Address, type ConnectOptions } from '../connect.ts'
import { StreamConnection } from './stream-connection.ts'

/** Requests at once on one connection, whatever the target allows: a packet that is lost holds up all of them. */
export const mostStreams = 100

/** Milliseconds. */
export interface SessionTimes {
  /** Without a request, until the connection is closed. */
  readonly idle: number
  /** Without a byte from a target that owes answers, until it is asked for a sign of life. */
  readonly silence: number
  /** Without a byte, after which a connection is asked for one beside the next request. */
  readonly doubt: number
  /** For the sign of life. */
  readonly patience: number
}

export const usualTimes: SessionTimes = { idle: 60_000, silence: 15_000, doubt: 5_000, patience: 10_000 }

const limits = {
  settings: {
    enablePush: false,
    // As much as an answer's head may be on HTTP/1.1, and 32 bytes that HTTP/2 counts for each line.
    maxHeaderListSize: 64 * 1024 + 32 * 500,
  },
  maxHeaderListPairs: 500,
  // Values with white space around them are ours to judge, and left out without a word otherwise.
  strictFieldWhitespaceValidation: false,
  // node:http2 would have requests with one of a field only: how many there are was judged before.
  strictSingleValueFields: false,
} as const
/** What may be on its way for all streams together; each of them has 64 KiB, which is what a client that does not read costs us. */
const window = 1024 * 1024

export class Session {
  readonly address: string
  readonly scheme: 'http' | 'https'
  readonly #client: ClientHttp2Session
  readonly #handle: SessionHandle
  readonly #socket: Socket
  readonly #times: SessionTimes
  readonly #streams = new Set<StreamConnection>()
  /** Requests that were begun. */
  #count = 0
  #isRetired = false
  #lastStream = Infinity
  #closeDetail = 'the connection was closed'
  readonly #timer: NodeJS.Timeout
  #heardAt = performance.now()
  #bytesRead = 0
  #idleSince = performance.now()
  /** When a sign of life was asked for; -1: it was not, or came. */
  #askedAt = -1

  /**
   * @returns once the target has said what it understands: until then nothing shows that it speaks HTTP/2
   * @throws ConnectError
   */
  static async connect(
    address: Address,
    options: ConnectOptions,
    times: SessionTimes,
    onClose: (session: Session) => void,
  ): Promise<Session> {
    const begun = performance.now()
    const socket = await openSocket(address, options, false)
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      socket.destroy()
      throw new ConnectError('connect_failed', 'the target does not speak HTTP/2')
    }
    const left = Math.max(1, options.timeout - (performance.now() - begun))
    const client = await introduce(socket, address, left)
    return new Session(socket, client, address, times, onClose)
  }

  private constructor(
    socket: Socket,
    client: ClientHttp2Session,
    address: Address,
    times: SessionTimes,
    onClose: (session: Session) => void,
  ) {
    this.address = socket.remoteAddress ?? ''
    this.scheme = address.isTls ? 'https' : 'http'
    this.#client = client
    this.#handle = handleOf(client)
    this.#socket = socket
    this.#times = times
    client.on('error', (error) => {
      this.#closeDetail = error.message
    })
    client.on('goaway', (code, lastStream) => {
      this.#lastStream = lastStream ?? 0
      if (code !== constants.NGHTTP2_NO_ERROR) this.#closeDetail = `the target ended the connection (${code})`
    })
    client.once('close', () => {
      clearInterval(this.#timer)
      onClose(this)
    })
    this.#timer = setInterval(() => this.#look(), Math.min(1_000, times.patience / 4)).unref()
  }

  /** Requests that are under way. */
  get streams(): number {
    return this.#streams.size
  }

  /** Takes further requests, were there room. */
  get isUsable(): boolean {
    return (
      !this.#isRetired && this.#lastStream === Infinity && !this.#client.closed && !this.#client.destroyed
    )
  }

  get hasRoom(): boolean {
    if (!this.isUsable) return false
    const { maxConcurrentStreams = mostStreams } = this.#client.remoteSettings
    return this.#streams.size < Math.min(mostStreams, maxConcurrentStreams)
  }

  /** @returns a place for one request, which is given back when its stream is over */
  lease(closesSession = false): StreamConnection {
    const connection = new StreamConnection(this, this.#count, closesSession)
    this.#count += 1
    this.#streams.add(connection)
    if (performance.now() - this.#heardAt > this.#times.doubt) this.#ask()
    return connection
  }

  release(connection: StreamConnection): void {
    if (!this.#streams.delete(connection)) return
    this.#idleSince = performance.now()
    if (this.#isRetired && this.#streams.size === 0) this.#client.close()
  }

  request(lines: string[], endsHere: boolean): ClientHttp2Stream {
    // Without trailers to wait for, a request that is cut would end as if all of it had been said.
    const stream = this.#client.request(lines, { endStream: endsHere, waitForTrailers: !endsHere })
    keepSessionOf(stream, this.#handle)
    return stream
  }

  /** The target has said that it did not and will not look at the stream. */
  isUntouched(stream: number): boolean {
    return stream > this.#lastStream
  }

  /** Why streams ended that nobody reset. */
  get closeDetail(): string {
    return this.#closeDetail
  }

  /** Takes no more requests, and ends with those that are under way. */
  retire(): void {
    if (this.#isRetired) return
    this.#isRetired = true
    if (this.#streams.size === 0) this.#client.close()
  }

  /** Cuts the connection; requests that are under way fail. */
  destroy(detail: string): void {
    this.#isRetired = true
    this.#closeDetail = detail
    this.#client.destroy()
    this.#socket.destroy()
  }

  #look(): void {
    const now = performance.now()
    const { bytesRead } = this.#socket
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead
      this.#heardAt = now
      this.#askedAt = -1
    }
    const { idle, patience, silence } = this.#times
    if (this.#askedAt !== -1 && now - this.#askedAt >= patience)
      this.destroy('no sign of life from the target')
    else if (this.#streams.size === 0) {
      if (now - this.#idleSince >= idle) this.retire()
    } else if (now - this.#heardAt >= silence) this.#ask()
  }

  #ask(): void {
    if (this.#askedAt !== -1 || this.#client.destroyed) return
    this.#askedAt = performance.now()
    this.#client.ping(ignore)
  }
}

/** Waits for the target's SETTINGS, which are the first that it says. */
function introduce(socket: Socket, address: Address, timeout: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const client = connect(`${address.isTls ? 'https' : 'http'}://${address.authority}`, {
      ...limits,
      createConnection: () => socket,
    })
    const fail = (reason: ConnectError['reason'], detail: string): void => {
      clearTimeout(timer)
      client.destroy()
      socket.destroy()
      reject(new ConnectError(reason, detail))
    }
    const timer = setTimeout(() => fail('connect_timeout', 'no SETTINGS from the target'), timeout)
    const onError = (error: Error): void => fail('connect_failed', `not HTTP/2: ${error.message}`)
    const onClose = (): void => fail('connect_failed', 'not HTTP/2: the connection was closed')
    client.once('error', onError)
    client.once('close', onClose)
    client.once('remoteSettings', () => {
      clearTimeout(timer)
      client.off('error', onError).off('close', onClose)
      client.setLocalWindowSize(window)
      client.on('error', ignore)
      resolve(client)
    })
  })
}

function ignore(): void {
  // Told by 'close' too.
}
