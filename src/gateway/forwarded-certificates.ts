/** Client certificates that a proxy in front hands over: believed from whom the configuration names, and judged all the same. */
import { LRUCache } from 'lru-cache'
import type { AuthenticatorSettings } from '../configuration.ts'
import { compileRanges, type AddressRanges } from '../engine/addresses.ts'
import { isMtls, type ForwardedHeader } from '../engine/authenticators/mtls/settings.ts'
import { createClientCertificate, type ClientCertificate } from '../engine/certificates/client-certificate.ts'
import { certificateFault, type CertificateFault } from '../engine/certificates/fault.ts'
import { readClientCert, type ForwardedCertificate } from '../engine/certificates/forwarded.ts'
import type { Trust } from '../engine/certificates/trust.ts'
import { readXfcc } from '../engine/certificates/xfcc.ts'
import { isNamed } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'
import type { CertificateService } from './certificates.ts'

export interface ForwardedCertificates {
  /** @returns who believes this peer; undefined when nobody does */
  acceptorsFor(peer: string): Acceptors | undefined
  /** @returns what the peer says that the client has shown; undefined when it says nothing */
  read(fields: FieldLines, acceptors: Acceptors): ClientCertificate | undefined
}

interface Acceptor {
  readonly name: string
  readonly header: ForwardedHeader
  readonly peers: AddressRanges
  readonly trust: Trust
}

/** Those that believe one peer. */
export type Acceptors = readonly Acceptor[]

/** Bytes of header fields whose certificates are remembered: a connection of a proxy carries many clients' requests. */
const remembered = 16 * 1024 * 1024
const mostPeers = 10_000

export function compileForwardedCertificates(
  authenticators: Readonly<Record<string, AuthenticatorSettings>>,
  certificates: Pick<CertificateService, 'trust'>,
): ForwardedCertificates {
  const all: Acceptors = Object.values(authenticators).flatMap((settings) => {
    if (!isMtls(settings) || settings.from === undefined) return []
    const { name, from, trust } = settings
    const peers = compileRanges(from.peers)
    return [{ name, header: from.header, peers, trust: certificates.trust(trust) }]
  })
  const byPeer = new LRUCache<string, { readonly acceptors: Acceptors | undefined }>({ max: mostPeers })
  const known = new LRUCache<string, ClientCertificate>({
    maxSize: remembered,
    sizeCalculation: (_, key) => key.length * 2 + 1,
  })

  const readOne = (header: ForwardedHeader, fields: FieldLines, acceptors: Acceptors): ClientCertificate => {
    const own = acceptors.filter((each) => each.header === header)
    const lines =
      header === 'xfcc' ? linesOf(fields, 'x-forwarded-client-cert') : linesOf(fields, 'client-cert')
    const chain = header === 'xfcc' ? [] : linesOf(fields, 'client-cert-chain')
    const key = [...own.map(({ name }) => name), '', ...lines, '', ...chain].join('\n')
    const before = known.get(key)
    if (before !== undefined) return before
    if (header === 'client-cert' && lines.length > 1)
      return unreadable(own, certificateFault('credential_repeated', 'two Client-Cert fields'))
    const certificate = certificateOf(
      header === 'xfcc' ? readXfcc(lines) : readClientCert(lines, chain),
      header,
      own,
    )
    known.set(key, certificate)
    return certificate
  }

  return {
    acceptorsFor(peer) {
      if (all.length === 0) return undefined
      const before = byPeer.get(peer)
      if (before !== undefined) return before.acceptors
      const acceptors = all.filter(({ peers }) => peers.has(peer))
      const found = { acceptors: acceptors.length === 0 ? undefined : acceptors }
      byPeer.set(peer, found)
      return found.acceptors
    },
    read(fields, acceptors) {
      const headers = new Set(acceptors.map(({ header }) => header))
      const present = [...headers].filter((header) => isPresent(header, fields))
      const [header, ...more] = present
      if (header === undefined) return undefined
      return more.length > 0
        ? unreadable(acceptors, certificateFault('credential_repeated', 'a certificate in two headers'))
        : readOne(header, fields, acceptors)
    },
  }
}

function certificateOf(
  read: ForwardedCertificate | string,
  header: ForwardedHeader,
  acceptors: Acceptors,
): ClientCertificate {
  if (typeof read === 'string') return unreadable(acceptors, certificateFault('certificate_malformed', read))
  return createClientCertificate({
    ...read,
    source: 'forwarded',
    forwardedIn: header,
    acceptedBy: new Set(acceptors.map(({ name }) => name)),
    refusal(certificate, now) {
      let fault: CertificateFault | undefined
      for (const { trust } of acceptors) {
        const verdict = trust.judge(certificate, now)
        if (verdict.outcome === 'trusted') return undefined
        fault ??= verdict.fault
      }
      return fault
    },
  })
}

/** Something is there that cannot be read: it is a bad credential, not none. */
function unreadable(acceptors: Acceptors, fault: CertificateFault): ClientCertificate {
  return createClientCertificate({
    der: Buffer.alloc(0),
    chain: [],
    source: 'forwarded',
    acceptedBy: new Set(acceptors.map(({ name }) => name)),
    refusal: () => fault,
  })
}

function isPresent(header: ForwardedHeader, fields: FieldLines): boolean {
  return header === 'xfcc'
    ? hasLine(fields, 'x-forwarded-client-cert')
    : hasLine(fields, 'client-cert') || hasLine(fields, 'client-cert-chain')
}

function hasLine(fields: FieldLines, name: string): boolean {
  for (let index = 0; index < fields.length; index += 2) if (isNamed(fields[index]!, name)) return true
  return false
}

function linesOf(fields: FieldLines, name: string): readonly string[] {
  const lines: string[] = []
  for (let index = 0; index < fields.length; index += 2)
    if (isNamed(fields[index]!, name)) lines.push(fields[index + 1]!)
  return lines
}
