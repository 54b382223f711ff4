/**
 * One block of the index: what a run of lines of one segment holds, in 4096 bytes. Blocks stand one after the other in a file
 * beside the segment; each says itself where its run lies and how it ends, so that order, gaps and overlaps do no harm.
 */
import { crc32 } from 'node:zlib'
import { NamesBuilder, namesBytes, type Named } from './names.ts'

export const blockBytes = 4096

/** A run ends with whichever comes first. */
const mostEvents = 1024
const mostBytes = 1024 * 1024

export interface Block {
  readonly events: number
  /** Where its lines begin and end in the segment. */
  readonly from: number
  readonly to: number
  /** Of the first and the last moment that an event tells, milliseconds since the epoch. */
  readonly earliest: number
  readonly latest: number
  /** Of its last line: what stands there must be what was indexed. */
  readonly hash: string
  readonly names: Uint8Array
}

// Little-endian: mark, checksum of all that follows, events, reserved, from, to, earliest, latest, hash, reserved, names.
const mark = 0x31_49_41_50
const at = {
  checksum: 4,
  events: 8,
  from: 16,
  to: 24,
  earliest: 32,
  latest: 40,
  hash: 48,
  names: 96,
} as const

/** @returns undefined when the bytes are no block, or not what was written */
export function readBlock(bytes: Buffer): Block | undefined {
  if (bytes.length !== blockBytes || bytes.readUInt32LE(0) !== mark) return undefined
  if (bytes.readUInt32LE(at.checksum) !== crc32(bytes.subarray(at.events))) return undefined
  return {
    events: bytes.readUInt32LE(at.events),
    from: bytes.readDoubleLE(at.from),
    to: bytes.readDoubleLE(at.to),
    earliest: bytes.readDoubleLE(at.earliest),
    latest: bytes.readDoubleLE(at.latest),
    hash: bytes.toString('hex', at.hash, at.hash + 32),
    names: bytes.subarray(at.names, at.names + namesBytes),
  }
}

/** Gathers a run. Costs well under a microsecond for an event. */
export class BlockBuilder {
  readonly #from: number
  readonly #names = new NamesBuilder()
  #to: number
  #events = 0
  #earliest = Infinity
  #latest = -Infinity
  #hash = ''

  constructor(from: number) {
    this.#from = from
    this.#to = from
  }

  get to(): number {
    return this.#to
  }

  get events(): number {
    return this.#events
  }

  get isEmpty(): boolean {
    return this.#events === 0
  }

  get isFull(): boolean {
    return this.#events >= mostEvents || this.#to - this.#from >= mostBytes
  }

  /**
   * Lines before it that are no records go with it: nothing can be found in them.
   * @param to where its line ends in the segment
   * @param hash of its line
   */
  add(event: Named, time: number, to: number, hash: string): void {
    this.#names.add(event)
    this.#events += 1
    if (time < this.#earliest) this.#earliest = time
    if (time > this.#latest) this.#latest = time
    this.#to = to
    this.#hash = hash
  }

  /** @returns the block, to be written */
  bytes(): Buffer {
    const bytes = Buffer.alloc(blockBytes)
    bytes.writeUInt32LE(mark, 0)
    bytes.writeUInt32LE(this.#events, at.events)
    bytes.writeDoubleLE(this.#from, at.from)
    bytes.writeDoubleLE(this.#to, at.to)
    bytes.writeDoubleLE(this.#earliest, at.earliest)
    bytes.writeDoubleLE(this.#latest, at.latest)
    bytes.write(this.#hash, at.hash, 'hex')
    bytes.set(this.#names.bytes, at.names)
    bytes.writeUInt32LE(crc32(bytes.subarray(at.events)), at.checksum)
    return bytes
  }
}
