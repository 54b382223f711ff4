/** PROXY headers of version 2 for tests, right or wrong in any part. Written from the specification, apart from what reads them. */

export interface BinaryHeader {
  /** Version and command; 0x21: passed on, 0x20: the proxy's own. */
  readonly verb?: number
  /** Family and transport; 0x11: TCP over IPv4. */
  readonly kind?: number
  /** Both addresses and both ports. */
  readonly addresses?: Buffer
  readonly extensions?: readonly Buffer[]
  /** Instead of the true number of bytes that follow. */
  readonly length?: number
}

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])

export function binaryHeader(header: BinaryHeader = {}): Buffer {
  const rest = Buffer.concat([header.addresses ?? ipv4(), ...(header.extensions ?? [])])
  const length = Buffer.alloc(2)
  length.writeUInt16BE(header.length ?? rest.length)
  return Buffer.concat([signature, Buffer.from([header.verb ?? 0x21, header.kind ?? 0x11]), length, rest])
}

/** A connection of 203.0.113.7:4711. */
export function ipv4(source: readonly number[] = [203, 0, 113, 7], port = 4711): Buffer {
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(port)
  ports.writeUInt16BE(443, 2)
  return Buffer.concat([Buffer.from(source), Buffer.from([192, 0, 2, 1]), ports])
}

/** @param groups of the source, each of 16 bits */
export function ipv6(groups: readonly number[], port = 4711): Buffer {
  const bytes = Buffer.alloc(36)
  for (const [index, group] of groups.entries()) bytes.writeUInt16BE(group, index * 2)
  bytes.writeUInt16BE(port, 32)
  return bytes
}

export function extension(type: number, value: Buffer): Buffer {
  const begin = Buffer.from([type, 0, 0])
  begin.writeUInt16BE(value.length, 1)
  return Buffer.concat([begin, value])
}
