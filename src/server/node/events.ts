/** What node:http tells, turned into turns of connections. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import { inspectHead, type Head } from '../head.ts'
import { requestIdOf } from '../request-id.ts'
import type { Connection, ListenerState, RefusedHead } from './connection.ts'
import type { NodeServer } from './create-server.ts'
import type { Incoming } from './incoming.ts'
import { LastTurn } from './last-turn.ts'
import { isConnectionLost, refusalOfParseError, type ParseError } from './parse-fault.ts'
import { NodeRequest, type Origin } from './request.ts'

const noNames: ReadonlySet<string> = new Set()

export class Events {
  readonly #state: ListenerState
  readonly #connections = new WeakMap<Duplex, Connection>()

  constructor(state: ListenerState) {
    this.#state = state
  }

  /** What is told of its socket is a matter of this connection from now on. */
  follow(connection: Connection): void {
    this.#connections.set(connection.socket, connection)
  }

  attachTo(server: NodeServer): void {
    const receive = (incoming: Incoming, response: ServerResponse): void => this.#receive(incoming, response)
    server.on('request', receive)
    // Whether there will be a 100 is decided when somebody wants the body.
    server.on('checkContinue', receive)
    server.on('checkExpectation', receive)
    server.on('upgrade', (incoming, socket, early) => this.#upgrade(incoming, socket, early))
    server.on('connect', (incoming, socket) => this.#connect(incoming, socket))
    server.on('clientError', (error: ParseError, socket) => this.#fail(error, socket))
  }

  /** For `shouldUpgradeCallback`: called before any event, for every head with `Connection: upgrade` and `Upgrade`. */
  isUpgrade(incoming: Incoming): boolean {
    incoming.asksUpgrade = true
    const verdict = this.#verdictOn(incoming)
    return !isRefusal(verdict) && verdict.isWebSocket && verdict.hasHost
  }

  #receive(incoming: Incoming, response: ServerResponse): void {
    const connection = this.#connections.get(incoming.socket)
    if (connection === undefined || connection.isSealed) return
    const verdict = this.#verdictOn(incoming)
    if (isRefusal(verdict)) connection.refuse(verdict, refusedHead(incoming))
    else if (!verdict.hasHost) this.#receiveHostless(connection, incoming, verdict)
    else {
      this.#take({ connection, incoming, response, early: undefined }, verdict)
      // What follows is no request: the client said so, or the parser may have lost its beginning.
      if (!response.shouldKeepAlive || incoming.asksUpgrade) connection.seal()
    }
  }

  #take(origin: Origin, head: Head): void {
    const turn = new NodeRequest(origin, head)
    origin.connection.markSeen()
    origin.connection.take(turn)
  }

  #receiveHostless(connection: Connection, incoming: Incoming, head: Head): void {
    const path = head.target.split('?', 1)[0]!
    const isRead = incoming.method === 'GET' || incoming.method === 'HEAD'
    const answer = isRead ? this.#state.options.health(path, head.version) : undefined
    if (answer === undefined) {
      connection.refuse(refuse('host_invalid', { detail: 'no Host' }), refusedHead(incoming))
      return
    }
    const fields = [...answer.fields, 'X-Request-Id', requestIdOf(incoming.rawHeaders)]
    connection.take(new LastTurn(connection, incoming.method, () => ({ ...answer, fields })))
    connection.seal()
  }

  #upgrade(incoming: Incoming, socket: Duplex, early: Buffer): void {
    const connection = this.#connections.get(socket)
    if (connection === undefined || connection.isSealed) return
    const verdict = this.#verdictOn(incoming)
    if (isRefusal(verdict)) connection.refuse(verdict, refusedHead(incoming))
    else this.#take({ connection, incoming, response: undefined, early }, verdict)
    connection.seal()
  }

  #connect(incoming: Incoming, socket: Duplex): void {
    const connection = this.#connections.get(socket)
    connection?.refuse(refuse('method_invalid', { detail: 'CONNECT' }), refusedHead(incoming))
  }

  #fail(error: ParseError, socket: Duplex): void {
    const connection = this.#connections.get(socket)
    if (connection === undefined || isConnectionLost(error)) {
      socket.destroy()
      return
    }
    const { receiving } = connection
    if (receiving === undefined) {
      connection.refuse(refusalOfParseError(error))
      return
    }
    // The request stands, but its body will never be whole.
    connection.seal()
    receiving.failBody(refuse('body_malformed', { detail: error.message }))
  }

  #verdictOn(incoming: Incoming): Head | Refusal {
    try {
      return (incoming.verdict ??= this.#inspect(incoming))
    } catch (fault) {
      // A bug must not end the process: it costs this connection.
      this.#state.options.onFault?.(fault)
      return (incoming.verdict = refuse('internal_error'))
    }
  }

  #inspect(incoming: Incoming): Head | Refusal {
    const { options } = this.#state
    return inspectHead(
      {
        method: incoming.method ?? '',
        target: incoming.url ?? '',
        version: incoming.httpVersion,
        fields: incoming.rawHeaders,
      },
      options.limits(),
      options.identityNames?.() ?? noNames,
    )
  }
}

function isRefusal(verdict: Head | Refusal): verdict is Refusal {
  return 'reason' in verdict
}

function refusedHead(incoming: Incoming): RefusedHead {
  return { method: incoming.method ?? '', target: incoming.url ?? '', fields: incoming.rawHeaders }
}
