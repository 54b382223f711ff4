/** node:http as strict as it can be set; what it is still too lax about is `head.ts`'s. */
import { createServer as createHttp, type Server } from 'node:http'
import { Incoming } from './incoming.ts'

export type NodeServer = Server<typeof Incoming>

/** @param shouldUpgrade whether a request that asks for an upgrade gets one; others are plain requests */
export function createServer(shouldUpgrade: (incoming: Incoming) => boolean): NodeServer {
  const server = createHttp({
    IncomingMessage: Incoming,
    insecureHTTPParser: false,
    requireHostHeader: false,
    // Deadlines are the sweeper's: these know neither routes nor an idle connection.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    shouldUpgradeCallback: shouldUpgrade,
  })
  // Fields beyond a limit would be dropped silently; the limit is ours.
  server.maxHeadersCount = 0
  // A client that has sent its request may end its side: the answer still goes out.
  Object.assign(server, { httpAllowHalfOpen: true })
  return server
}

/**
 * The parser's own limit cannot tell a long target from long fields, so it lies far above ours and we measure. It must be there:
 * the parser holds what it read of a head in memory, for as long as `headersTimeout` lets it.
 */
function parserLimit(headers: number): number {
  return headers * 8 + 1024 * 1024
}

/** Applies the limit to connections that come from now on. */
export function setParserLimit(server: NodeServer, headers: number): void {
  Object.assign(server, { maxHeaderSize: parserLimit(headers) })
}
