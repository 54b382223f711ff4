/** Which byte may stand where, as tables: one look-up for each byte of a head. */

export const cr = 0x0d
export const lf = 0x0a
export const space = 0x20
export const tab = 0x09
export const colon = 0x3a
export const semicolon = 0x3b
export const equals = 0x3d
export const quote = 0x22
export const backslash = 0x5c

function table(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0))
}

const tokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/** @see RFC 9110, section 5.6.2 */
export const isToken: Uint8Array = table((byte) => tokens.includes(String.fromCharCode(byte)))

/** Field values: visible characters, space, tab, and bytes beyond ASCII. No CR, LF, NUL or other control character. @see RFC 9110, section 5.5 */
export const isValue: Uint8Array = table((byte) => byte === tab || (byte >= space && byte !== 0x7f))

/** Request targets: visible ASCII; `#` would begin a fragment, which is never sent. @see RFC 9112, section 3.2 */
export const isTarget: Uint8Array = table((byte) => byte > space && byte < 0x7f && byte !== 0x23)

/** The value of a hexadecimal digit; 255 for every other byte. */
export const hexValue: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(digit) ? 255 : digit
})
