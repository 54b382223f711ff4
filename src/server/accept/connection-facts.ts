import type { Socket } from 'node:net'
import { TLSSocket, type DetailedPeerCertificate } from 'node:tls'
import {
  createClientCertificate,
  type ClientCertificate,
} from '../../engine/certificates/client-certificate.ts'
import type { ConnectionFacts } from '../../exchange.ts'
import { plainAddress } from '../address.ts'
import type { ListenerOptions } from '../listener.ts'
import type { Proxied } from './proxy-header.ts'

type Options = Pick<ListenerOptions, 'settings' | 'judgeCertificate'>

/**
 * @param proxied what a proxy said in front of the connection
 * @returns undefined when the peer is gone already, and its address with it
 */
export function connectionFacts(
  socket: Socket,
  options: Options,
  proxied: Proxied = 'own',
): ConnectionFacts | undefined {
  const { remoteAddress, remotePort } = socket
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  const peer = { address: plainAddress(remoteAddress), port: remotePort }
  const facts = { ...clientOf(peer, proxied), listener: options.settings }
  return socket instanceof TLSSocket ? { ...facts, tls: tlsFacts(socket, options) } : facts
}

function clientOf(
  peer: { readonly address: string; readonly port: number },
  proxied: Proxied,
): Omit<ConnectionFacts, 'listener' | 'tls'> {
  if (proxied === 'own') return peer
  return proxied === 'untold' ? { ...peer, isUntold: true } : proxied
}

function tlsFacts(socket: TLSSocket, options: Options): NonNullable<ConnectionFacts['tls']> {
  const { settings } = options
  // Node says `false` where the client named none; its types do not.
  const serverName = (socket as { servername?: string | false }).servername
  const certificate =
    settings.tls?.clientCertificates === undefined ? undefined : certificateOf(socket, options)
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    ...(typeof serverName === 'string' ? { serverName } : {}),
    ...(certificate === undefined ? {} : { certificate }),
  }
}

/** More links than any chain has: a client that sends hundreds must not make us walk them all. */
const mostLinks = 32

/** Its private key was proven in the handshake; nothing else of it was looked at there. */
function certificateOf(socket: TLSSocket, { judgeCertificate }: Options): ClientCertificate | undefined {
  const leaf = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate> | null
  if (leaf?.raw === undefined) return undefined
  const chain: Buffer[] = []
  const seen = new Set([leaf.fingerprint256])
  for (let each = leaf.issuerCertificate; each?.raw !== undefined; each = each.issuerCertificate) {
    // The last one names itself as its issuer.
    if (seen.has(each.fingerprint256) || chain.length === mostLinks) break
    seen.add(each.fingerprint256)
    chain.push(each.raw)
  }
  return createClientCertificate({
    der: leaf.raw,
    chain,
    source: 'connection',
    refusal: (certificate, now) => judgeCertificate?.(certificate, now),
  })
}
