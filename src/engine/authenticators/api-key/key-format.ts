/**
 * The form of a created key: `<prefix>_<id>_<secret><checksum>`. The checksum lets a typo be refused without a look-up
 * and lets a scanner tell a leaked key from any other text (CONTRACT 5.1).
 */
import { randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const idLength = 12
/** 62^43 is just over 2^256. */
const secretLength = 43
const checksumLength = 6
const bodyPattern = /^[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/
const prefixPattern = /^[a-z0-9]{2,10}$/

/** `form`: not a key of this prefix at all. `checksum`: a key with a mistake in it. */
export type KeyShape = 'good' | 'form' | 'checksum'

export interface MadeKey {
  readonly id: string
  readonly key: string
}

export type RandomBytes = (size: number) => Uint8Array

/** Makes a key with a fresh id and 256 bits of secret. */
export function makeKey(prefix: string, random: RandomBytes = randomBytes): MadeKey {
  const id = randomBase62(idLength, random)
  const unsigned = `${prefix}_${id}_${randomBase62(secretLength, random)}`
  return { id, key: unsigned + checksumOf(unsigned) }
}

/** An id in the form of a created key's. */
export function makeKeyId(random: RandomBytes = randomBytes): string {
  return randomBase62(idLength, random)
}

/** Judges the form and the checksum; no hash and no look-up. */
export function shapeOfKey(value: string, prefix: string): KeyShape {
  if (!value.startsWith(`${prefix}_`) || !bodyPattern.test(value.slice(prefix.length + 1))) return 'form'
  const end = value.length - checksumLength
  return checksumOf(value.slice(0, end)) === value.slice(end) ? 'good' : 'checksum'
}

/** @returns whether an authenticator may have this prefix */
export function isKeyPrefix(prefix: string): boolean {
  return prefixPattern.test(prefix)
}

/** The unsigned CRC-32 of the text, big-endian base62, left-padded with `0`. */
export function checksumOf(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let place = 0; place < checksumLength; place += 1) {
    digits = alphabet[rest % 62]! + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** CRC-32/ISO-HDLC: reflected polynomial 0xEDB88320, all ones in, all ones out. Sixty bytes do not earn a table. */
function crc32(text: string): number {
  let register = 0xffffffff
  for (const byte of Buffer.from(text, 'utf8')) {
    register ^= byte
    for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ (0xedb88320 & -(register & 1))
  }
  return (register ^ 0xffffffff) >>> 0
}

/** Bytes of 248 and more are thrown away: taken modulo 62 they would make the first eight digits likelier. */
function randomBase62(length: number, random: RandomBytes): string {
  let digits = ''
  while (digits.length < length) {
    for (const byte of random(length - digits.length + 8)) {
      if (byte < 248 && digits.length < length) digits += alphabet[byte % 62]!
    }
  }
  return digits
}
