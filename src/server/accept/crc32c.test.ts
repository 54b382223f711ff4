import { expect, it } from 'vitest'
import { crc32c } from './crc32c.ts'

/** RFC 3720, appendix B.4, and the check value of the algorithm. */
it.each([
  ['nine digits', Buffer.from('123456789'), 0xe3069283],
  ['zeros', Buffer.alloc(32), 0x8a9136aa],
  ['ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['numbers going up', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  ['numbers going down', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
  ['nothing', Buffer.alloc(0), 0],
])('sums up %s', (_name, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})
