/** Identity values as header fields may carry them, so that no claim can end a line, forge a field or split a list. */

const plain = /^[\x21-\x24\x26-\x7e]*$/
const plainInList = /^[\x21-\x24\x26-\x2b\x2d-\x7e]*$/

/** @returns the value with everything outside visible ASCII, and `%`, percent-encoded as UTF-8 */
export function encodeFieldValue(value: string): string {
  return plain.test(value) ? value : percentEncode(value, false)
}

/** @returns the same, with `,` encoded too: for an element of a comma-separated list */
export function encodeListElement(value: string): string {
  return plainInList.test(value) ? value : percentEncode(value, true)
}

function percentEncode(value: string, inList: boolean): string {
  let encoded = ''
  for (const byte of Buffer.from(value, 'utf8')) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x25 && !(inList && byte === 0x2c)
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
