/** The checksum of PROXY headers: CRC-32 with Castagnoli's polynomial, reflected. */

const polynomial = 0x82f63b78

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ ((rest & 1) === 0 ? 0 : polynomial)
  return rest
})

/** @see RFC 9260, appendix A */
export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffff
  for (const byte of bytes) rest = (rest >>> 8) ^ table[(rest ^ byte) & 0xff]!
  return (rest ^ 0xffffffff) >>> 0
}
