/**
 * The header of the PROXY protocol, versions 1 and 2: what a proxy says of the connection that it passes on. Whatever is not
 * exactly as the specification has it is malformed, as early as it can be told: the connection is closed, never guessed at.
 *
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 */
import { canonicalAddress } from '../address.ts'
import { crc32c } from './crc32c.ts'

/** Whose connection it is. */
export type Proxied =
  /** The client's that the proxy names. */
  | { readonly address: string; readonly port: number }
  /** The proxy's own, to see whether we are alive. */
  | 'own'
  /** Somebody's whom the proxy does not name, or not in a way that means anything over TCP. */
  | 'untold'

export interface ProxyHeader {
  /** Bytes of the header; what follows is the client's. */
  readonly length: number
  readonly proxied: Proxied
}

export interface ProxyFault {
  /** What is wrong, for the operator of the proxy. */
  readonly fault: string
}

/** The longest line of version 1, its end included. */
const longestLine = 107
/** Of version 2: far more than proxies send, and a bound for what is held in memory. */
const longestHeader = 16 * 1024

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const word = Buffer.from('PROXY ', 'latin1')

/**
 * @param bytes all that has arrived so far, at least one
 * @returns undefined when it is right so far, and not whole
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | ProxyFault | undefined {
  if (beginsLike(bytes, word)) return bytes.length < word.length ? undefined : parseLine(bytes)
  if (beginsLike(bytes, signature)) return bytes.length < 16 ? checkBegin(bytes) : parseBinary(bytes)
  return { fault: 'no PROXY header' }
}

/** True also where only the beginning has arrived. */
function beginsLike(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length)
  return bytes.compare(expected, 0, length, 0, length) === 0
}

// Version 1

function parseLine(bytes: Buffer): ProxyHeader | ProxyFault | undefined {
  const text = bytes.toString('latin1', 0, longestLine)
  const end = text.search(/[\r\n]/)
  if (end === -1) return text.length < longestLine - 1 ? undefined : { fault: 'a line without an end' }
  // One of the two alone ends no line.
  if (text[end] !== '\r') return { fault: 'a bare line feed' }
  if (end + 1 === text.length)
    return text.length < longestLine ? undefined : { fault: 'a line without an end' }
  if (text[end + 1] !== '\n') return { fault: 'a bare carriage return' }
  const proxied = parseWords(text.slice(word.length, end))
  return proxied === undefined ? { fault: 'a malformed line' } : { length: end + 2, proxied }
}

/** Of an unknown connection, whatever else stands in the line means nothing. */
function parseWords(text: string): Proxied | undefined {
  const [family, source, destination, sourcePort, destinationPort, ...more] = text.split(' ')
  if (family === 'UNKNOWN') return 'untold'
  if (family !== 'TCP4' && family !== 'TCP6') return undefined
  if (destinationPort === undefined || more.length > 0) return undefined
  const address = addressOf(family, source!)
  const port = portOf(sourcePort!)
  if (address === undefined || addressOf(family, destination!) === undefined) return undefined
  return port === undefined || portOf(destinationPort) === undefined ? undefined : { address, port }
}

/** Four decimal numbers without leading zeros: `inet_aton` takes octal, hexadecimal and fewer numbers too. */
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

function addressOf(family: 'TCP4' | 'TCP6', text: string): string | undefined {
  if (family === 'TCP4') return ipv4.test(text) ? text : undefined
  // Proxies that write with `inet_ntop` end mapped addresses in four decimal numbers.
  return /^[\da-fA-F:]*:(?:[\da-fA-F]*|\d+\.\d+\.\d+\.\d+)$/.test(text) ? canonicalAddress(text) : undefined
}

function portOf(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return undefined
  const port = Number(text)
  return port > 65_535 ? undefined : port
}

// Version 2

const command = { local: 0x0, proxy: 0x1 } as const
const family = { unspecified: 0x0, ipv4: 0x1, ipv6: 0x2, unix: 0x3 } as const
const transport = { unspecified: 0x0, stream: 0x1, datagram: 0x2 } as const
const checksumType = 0x03

/** Bytes of both addresses and both ports; of unspecified ones, nothing says how many there are. */
const addressBytes: Readonly<Record<number, number | undefined>> = {
  [family.ipv4]: 12,
  [family.ipv6]: 36,
  [family.unix]: 216,
}

/** Before the length has arrived: what is there of version, command and family. */
function checkBegin(bytes: Buffer): ProxyFault | undefined {
  const versionAndCommand = bytes[12]
  if (versionAndCommand === undefined) return undefined
  if (versionAndCommand >> 4 !== 2) return { fault: 'a version other than 2' }
  const verb = versionAndCommand & 0xf
  if (verb > command.proxy) return { fault: 'an unknown command' }
  const kind = bytes[13]
  if (kind === undefined || verb === command.local) return undefined
  const isKnown = kind >> 4 <= family.unix && (kind & 0xf) <= transport.datagram
  return isKnown ? undefined : { fault: 'an unknown family or transport' }
}

function parseBinary(bytes: Buffer): ProxyHeader | ProxyFault | undefined {
  const fault = checkBegin(bytes)
  if (fault !== undefined) return fault
  const length = 16 + bytes.readUInt16BE(14)
  const isLocal = (bytes[12]! & 0xf) === command.local
  const kind = bytes[13]!
  const extensionsAt = 16 + (addressBytes[kind >> 4] ?? 0)
  if (length > longestHeader) return { fault: 'a header beyond all bounds' }
  if (!isLocal && length < extensionsAt) return { fault: 'a header too short for its addresses' }
  if (bytes.length < length) return undefined
  // Of its own connections a proxy may write what it likes behind the length, the family included.
  if (isLocal) return { length, proxied: 'own' }
  if (kind >> 4 !== family.unspecified) {
    const trouble = extensionFault(bytes.subarray(0, length), extensionsAt)
    if (trouble !== undefined) return trouble
  }
  return { length, proxied: addressIn(bytes, kind) }
}

function addressIn(bytes: Buffer, kind: number): Proxied {
  if ((kind & 0xf) !== transport.stream) return 'untold'
  if (kind >> 4 === family.ipv4)
    return { address: bytes.subarray(16, 20).join('.'), port: bytes.readUInt16BE(24) }
  if (kind >> 4 !== family.ipv6) return 'untold'
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(16 + at * 2).toString(16))
  return { address: canonicalAddress(groups.join(':'))!, port: bytes.readUInt16BE(48) }
}

/** They must fill the header exactly. None but the checksum is looked at: what they tell is not what we believe. */
function extensionFault(header: Buffer, begin: number): ProxyFault | undefined {
  let checksumAt = -1
  let at = begin
  while (at < header.length) {
    if (at + 3 > header.length) return { fault: 'an extension that is cut off' }
    const length = header.readUInt16BE(at + 1)
    if (header[at] === checksumType) {
      if (length !== 4 || checksumAt !== -1) return { fault: 'a malformed checksum' }
      checksumAt = at + 3
    }
    at += 3 + length
  }
  if (at !== header.length) return { fault: 'an extension that is cut off' }
  return checksumAt === -1 || hasChecksum(header, checksumAt) ? undefined : { fault: 'a wrong checksum' }
}

function hasChecksum(header: Buffer, at: number): boolean {
  const blank = Buffer.from(header)
  blank.fill(0, at, at + 4)
  return crc32c(blank) === header.readUInt32BE(at)
}
