/** Request ids: the caller's where it is sane, else one of ours. */
import { randomFillSync } from 'node:crypto'
import { isNamed } from '../engine/fields.ts'
import type { FieldLines } from '../exchange.ts'

const sane = /^[A-Za-z0-9._-]{1,128}$/

/** @returns the value of the one sane `X-Request-Id`, else a fresh id of 32 hexadecimal digits */
export function requestIdOf(fields: FieldLines): string {
  let found: string | undefined
  for (let index = 0; index < fields.length; index += 2) {
    if (!isNamed(fields[index]!, 'x-request-id')) continue
    // Two of them: whichever we logged, a backend might log the other.
    if (found !== undefined) return freshId()
    found = fields[index + 1]!
  }
  return found !== undefined && sane.test(found) ? found : freshId()
}

const idBytes = 16
// One call for random bytes serves many ids: a call for each costs more than all the rest of an id.
const pool = Buffer.alloc(idBytes * 256)
let next = pool.length

/** @returns 128 random bits, as 32 hexadecimal digits */
export function freshId(): string {
  return randomHex(idBytes)
}

/**
 * @param bytes at most 16
 * @returns random bytes in hexadecimal digits, from a pool
 */
export function randomHex(bytes: number): string {
  if (next + bytes > pool.length) {
    randomFillSync(pool)
    next = 0
  }
  const text = pool.toString('hex', next, next + bytes)
  next += bytes
  return text
}
