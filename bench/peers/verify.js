// The check that every Node.js peer makes (express-gateway has one of its own): HS256, issuer, audience, expiry, one scope;
// and a cache of verified tokens, as the gateway has one.
import { createHmac, timingSafeEqual } from 'node:crypto'

const mostTokens = 4096
const clockSkewSeconds = 0

/**
 * @param {{ secret: string, issuer: string, audience: string, scope: string }} rules
 * @returns {(authorization: string | undefined) => { subject: string, scopes: string } | 401 | 403}
 */
export function createVerifier(rules) {
  /** @type {Map<string, { subject: string, scopes: string, expires: number }>} */
  const known = new Map()
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
    const claims = verify(token, rules, now)
    if (claims === undefined) return 401
    if (!claims.scope.split(' ').includes(rules.scope)) return 403
    const identity = { subject: claims.sub, scopes: claims.scope, expires: claims.exp + clockSkewSeconds }
    // A map remembers in which order its entries came: the oldest goes.
    if (known.size >= mostTokens) known.delete(known.keys().next().value)
    known.set(token, identity)
    return identity
  }
}

function verify(token, { secret, issuer, audience }, now) {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  const [head, body, signature] = parts
  try {
    if (JSON.parse(Buffer.from(head, 'base64url').toString()).alg !== 'HS256') return undefined
    const expected = createHmac('sha256', secret).update(`${head}.${body}`).digest()
    const found = Buffer.from(signature, 'base64url')
    if (found.length !== expected.length || !timingSafeEqual(found, expected)) return undefined
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const isGood =
      claims.iss === issuer &&
      claims.aud === audience &&
      typeof claims.exp === 'number' &&
      claims.exp > now &&
      typeof claims.sub === 'string' &&
      typeof claims.scope === 'string'
    return isGood ? claims : undefined
  } catch {
    return undefined
  }
}
