/** Request targets: only origin form goes on. */

const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/i

/**
 * Rewrites absolute form to origin form where its authority is the `Host` field; authority form and `*` are refused.
 * What the path may hold is judged later, once, when it is normalised.
 *
 * @param host the value of `Host`, already checked; empty when there is none
 * @returns undefined when the target is refused
 * @see RFC 9112, section 3.2
 */
export function originForm(target: string, host: string): string | undefined {
  if (target.charCodeAt(0) === 0x2f) return target
  const match = absoluteForm.exec(target)
  if (match === null) return undefined
  const [, authority = '', rest = ''] = match
  // Another authority than Host's would let the proxy before us and us route to two places.
  if (host === '' || authority.toLowerCase() !== host.toLowerCase()) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}
