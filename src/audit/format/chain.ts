/**
 * One line of the log and how it hangs on the one before. A line is
 * `{"time":"…","seq":N,"previousHash":"<hex>",…,"hash":"<hex>"}`: the hash is SHA-256 over the line's own bytes with
 * its last member, `,"hash":"…"`, taken out. What is hashed holds `previousHash`, so each hash stands for all before it.
 */
import { hash } from 'node:crypto'

/** What the first record of a log has as `previousHash`. */
export const genesis: string = '0'.repeat(64)

/** A longer line is no record of ours; events are bounded far below. Bytes. */
export const maxLineBytes: number = 256 * 1024

/** The end of a chain: what the next record hangs on. */
export interface ChainEnd {
  readonly seq: number
  readonly hash: string
}

export interface Link extends ChainEnd {
  readonly previousHash: string
  /** RFC 3339, as written. */
  readonly time: string
}

const head = /^\{"time":"([^"\\]{1,40})","seq":([1-9][0-9]{0,15}),"previousHash":"([0-9a-f]{64})",/
const tail = /^,"hash":"([0-9a-f]{64})"\}$/
const headBytes = 160
const tailBytes = 75

/**
 * Reads a line's link. @returns undefined when the line has not the form of a record or its hash is not that of its bytes
 */
export function readLink(line: Buffer): Link | undefined {
  if (line.length < tailBytes || line.length > maxLineBytes) return undefined
  const cut = line.length - tailBytes
  const start = head.exec(line.toString('latin1', 0, Math.min(cut + 1, headBytes)))
  const claimed = tail.exec(line.toString('latin1', cut))?.[1]
  const [, time, seq, previousHash] = start ?? []
  if (claimed === undefined || time === undefined || seq === undefined || previousHash === undefined)
    return undefined
  if (hashOfBody(line, cut) !== claimed) return undefined
  return { time, seq: Number(seq), previousHash, hash: claimed }
}

/** Hashes the body in place: the comma before the hash member stands in for the closing brace while the digest is taken. */
function hashOfBody(line: Buffer, cut: number): string {
  line[cut] = 0x7d
  const digest = hash('sha256', line.subarray(0, cut + 1), 'hex')
  line[cut] = 0x2c
  return digest
}

/** @returns whether `next` is the record that comes directly after `previous` */
export function follows(previous: ChainEnd, next: Link): boolean {
  return next.seq === previous.seq + 1 && next.previousHash === previous.hash
}
