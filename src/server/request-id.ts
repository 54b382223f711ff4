/** Request ids: the caller's where it is sane, else one of ours. */
import { randomBytes } from 'node:crypto'
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

const idDigits = 32
const poolBytes = 8192
// One call for random bytes, and one for their digits, serve many ids: a call for each costs more than all the rest of an id.
let pool = ''
let next = 0

/** @returns 128 random bits, as 32 hexadecimal digits */
export function freshId(): string {
  return randomHex(idDigits / 2)
}

/**
 * @param bytes at most 16
 * @returns random bytes in hexadecimal digits, from a pool
 */
export function randomHex(bytes: number): string {
  if (next + bytes * 2 > pool.length) {
    pool = randomBytes(poolBytes).toString('hex')
    next = 0
  }
  const from = next
  next += bytes * 2
  return pool.slice(from, next)
}
