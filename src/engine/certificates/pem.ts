/** Files of authorities and revocation lists: PEM blocks, or one DER structure. */

const block = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END ([A-Z0-9 ]+)-----/g

/**
 * @param label - `CERTIFICATE` or `X509 CRL`; text around the blocks, and blocks of other labels, are left alone
 * @returns the bytes of each block, or in words why the file cannot be read
 */
export function readPem(content: Buffer, label: string): readonly Buffer[] | string {
  if (content.length === 0) return 'it is empty'
  // DER begins with a SEQUENCE; no text does.
  if (content[0] === 0x30) return [content]
  const text = content.toString('latin1')
  const ders: Buffer[] = []
  let blocks = 0
  for (const [, begin, base64 = '', end] of text.matchAll(block)) {
    blocks += 1
    if (begin !== end) return 'a PEM block ends as another than it began'
    if (begin !== label) continue
    const der = decodeBase64(base64.replace(/\s+/g, ''))
    if (der === undefined) return 'a PEM block that is not base64'
    ders.push(der)
  }
  // A block that was cut off must not silently leave an authority or a list out.
  const begins = text.match(/-----BEGIN /g)?.length ?? 0
  if (begins !== blocks) return 'a PEM block that is broken'
  return ders.length === 0 ? `no PEM block "${label}"` : ders
}

/** @returns the bytes, or undefined for what is not exactly the base64 of them: padding and all */
export function decodeBase64(text: string): Buffer | undefined {
  if (text.length === 0 || text.length % 4 !== 0) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
