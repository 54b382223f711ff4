/** The user name and password of a Basic credential, read strictly. @see RFC 7617 section 2 */

export interface UserAndPassword {
  readonly user: string
  readonly password: string
}

/** Longer ones are no credentials, only work: a key of 4 KiB and an id of 128 characters fit. */
const longest = 6 * 1024
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @param value what follows the scheme
 * @returns undefined unless it is canonical base64 of UTF-8 without control characters, with a colon behind a user name: two
 * spellings of one credential would be two credentials to whatever counts or remembers them
 */
export function readBasic(value: string): UserAndPassword | undefined {
  if (value.length > longest) return undefined
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) return undefined
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return undefined
  }
  const colon = text.indexOf(':')
  if (colon < 1 || /[\x00-\x1f\x7f]/.test(text)) return undefined
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
