/** The `htu` of a proof, brought to the one form that the request itself has. */
import { normalizePath } from '../normal-path.ts'
import { normalOrigin } from '../origin.ts'
import type { GatewayRequest } from '../request.ts'

const maxLength = 8_192

/** Scheme, authority, path, and what is dropped. User information, a percent sign or a trailing dot in the authority fit nothing of ours. */
const form = /^(https?):\/\/([A-Za-z0-9.\-_]+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?(\/[^?#]*)?(?:[?#].*)?$/i

/** What both sides of the comparison below would leave as it is. */
const plainOrigin = /^https?:\/\/[a-z0-9.-]+(?::[1-9]\d{0,4})?$/

/**
 * Both sides are normalised in the way that routing is: case of scheme and host, default port, escapes and dot segments of the
 * path. Query and fragment are dropped. Nothing is guessed: what no request could have been sent with fits nothing.
 *
 * @returns whether the URI is the one that the request was sent to; never for a host that is none of ours
 * @see RFC 9449 sections 4.2 and 4.3 (9); RFC 3986 sections 6.2.2 and 6.2.3
 */
export function isSentTo(uri: string, { publicOrigin, path }: GatewayRequest): boolean {
  if (publicOrigin === undefined || uri.length > maxLength || /[^\x21-\x7e]/.test(uri)) return false
  // Most write it as it is.
  if (
    uri.length === publicOrigin.length + path.length &&
    uri === publicOrigin + path &&
    plainOrigin.test(publicOrigin)
  )
    return true
  const parts = form.exec(uri)
  if (parts === null) return false
  const [, scheme = '', host = '', port = '', written = '/'] = parts
  // Leading zeros, and a colon without a port, are other spellings of the same one (RFC 3986 section 6.2.3).
  const number = port === '' ? '' : `:${Number(port)}`
  if (normalOrigin(`${scheme}://${host}${number}`) !== normalOrigin(publicOrigin)) return false
  if (written === path) return true
  // Only what the request's own path still holds was allowed where it was sent to.
  const normal = normalizePath(written, {
    encodedSlashes: path.includes('%2F') ? 'keep' : 'refuse',
    pathParameters: path.includes(';') ? 'keep' : 'refuse',
  })
  return normal === path
}
