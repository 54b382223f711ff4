/** What an HTTP/2 client says first, where no ALPN says which protocol it speaks. */

/** @see RFC 9113, section 3.4 */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/**
 * @param bytes all that has arrived so far, at least one
 * @returns undefined while it can still become either
 */
export function isHttp2Preface(bytes: Buffer): boolean | undefined {
  const length = Math.min(bytes.length, preface.length)
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return false
  return length === preface.length ? true : undefined
}
