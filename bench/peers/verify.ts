// The check that the Node.js peers make (express-gateway has one of its own): HS256, issuer, audience, expiry, one scope; and
// a cache of verified tokens, as the gateway has one.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a token must say. */
export interface Rules {
  readonly secret: string
  readonly issuer: string
  readonly audience: string
  readonly scope: string
}

/** What a good token says. */
export interface PeerIdentity {
  readonly subject: string
  readonly scopes: string
  /** Seconds since the epoch. */
  readonly expires: number
}

export type Verifier = (authorization: string | undefined) => PeerIdentity | 401 | 403

const mostTokens = 4096

/** Makes a check with an empty cache. */
export function createVerifier(rules: Rules): Verifier {
  const known = new Map<string, PeerIdentity>()
  return (authorization) => {
    if (authorization === undefined || !authorization.startsWith('Bearer ')) return 401
    const token = authorization.slice(7)
    const now = Date.now() / 1000
    const remembered = known.get(token)
    if (remembered !== undefined) {
      if (remembered.expires > now) return remembered
      known.delete(token)
      return 401
    }
    const identity = verify(token, rules, now)
    if (identity === undefined) return 401
    if (!identity.scopes.split(' ').includes(rules.scope)) return 403
    // A map remembers in which order its entries came: the oldest goes.
    if (known.size >= mostTokens) known.delete(known.keys().next().value ?? '')
    known.set(token, identity)
    return identity
  }
}

function verify(token: string, { secret, issuer, audience }: Rules, now: number): PeerIdentity | undefined {
  const [head = '', body = '', signature = '', ...more] = token.split('.')
  if (more.length > 0) return undefined
  try {
    if (decode(head)['alg'] !== 'HS256') return undefined
    const expected = createHmac('sha256', secret).update(`${head}.${body}`).digest()
    const found = Buffer.from(signature, 'base64url')
    if (found.length !== expected.length || !timingSafeEqual(found, expected)) return undefined
    const { iss, aud, exp, sub, scope } = decode(body)
    if (iss !== issuer || aud !== audience || typeof exp !== 'number' || exp <= now) return undefined
    if (typeof sub !== 'string' || typeof scope !== 'string') return undefined
    return { subject: sub, scopes: scope, expires: exp }
  } catch {
    return undefined
  }
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
}
