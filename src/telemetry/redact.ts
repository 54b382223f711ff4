/**
 * Keeps credentials out of log lines, whoever put them there: by the name of the member that holds them, and by the shape of the value.
 * The last line of defence; no code hands credentials to the log on purpose.
 */

const placeholder = '[redacted]'

/** Names, compared without case and punctuation, whose values are never logged. */
const secretNames = new Set([
  'authorization', 'proxyauthorization', 'cookie', 'setcookie', 'xapikey', 'apikey', 'key', 'secret', 'clientsecret', 'password',
  'token', 'accesstoken', 'refreshtoken', 'idtoken', 'admintoken', 'pepper', 'privatekey', 'dpop', 'assertion', 'xportcullisassertion',
  'credential', 'presented', 'jwt', 'bearer', 'session', 'code', 'codeverifier',
]) // prettier-ignore

/** Names from the list above that carry harmless facts in our own lines, when the value is short and plain. */
const plainCode = /^[a-z_]{1,40}$/

const shapes = [
  // compact JWS and JWE
  /\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}/g,
  // our API keys: prefix, id, secret and checksum; also when cut short
  /\b[a-z0-9]{2,10}_[0-9A-Za-z]{12}_[0-9A-Za-z]{8,49}/g,
  // a credential after its scheme
  /\b(Bearer|Basic|DPoP|ApiKey)\s+[A-Za-z0-9._~+/=-]{6,}/gi,
  // credentials in a query or form
  /([?&;\s](?:access_token|id_token|refresh_token|api_key|apikey|key|token|secret|password|client_secret|code)=)[^&\s"']+/gi,
  // user information in a URL
  /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s:@]*:[^/\s@]*@/gi,
  // PEM private keys
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
] as const

const maxDepth = 8

/** @returns a copy in which nothing that is, or looks like, a credential is left */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= maxDepth) return '[too deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (value instanceof Map) return redact(Object.fromEntries(value), depth)
  if (value instanceof Set) return redact([...value], depth)
  if (ArrayBuffer.isView(value)) return '[bytes]'
  if (Array.isArray(value)) return redactList(value, depth)
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    copy[redactText(name)] =
      isSecretName(name) && !isPlain(name, member) ? placeholder : redact(member, depth + 1)
  }
  return copy
}

/** @returns the text with everything that has the shape of a credential replaced */
export function redactText(text: string): string {
  let out = text
  for (const shape of shapes) {
    out = out.replace(shape, (_whole, lead: unknown) =>
      typeof lead === 'string' ? `${lead}${/[a-z]$/i.test(lead) ? ' ' : ''}${placeholder}` : placeholder,
    )
  }
  return out
}

function redactList(list: readonly unknown[], depth: number): unknown[] {
  // Flat field lines (name, value, name, value …) hide a header's name in the element before.
  return list.map((element, at) => {
    const before = at % 2 === 1 ? list[at - 1] : undefined
    return typeof before === 'string' && isSecretName(before) ? placeholder : redact(element, depth + 1)
  })
}

function redactError(error: Error, depth: number): unknown {
  return {
    name: error.name,
    message: redactText(error.message),
    ...('code' in error ? { code: redact(error.code) } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  }
}

function isSecretName(name: string): boolean {
  return secretNames.has(name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))
}

function isPlain(name: string, value: unknown): boolean {
  return name === 'code' && typeof value === 'string' && plainCode.test(value)
}
