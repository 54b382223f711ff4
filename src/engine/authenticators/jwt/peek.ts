import { LRUCache } from 'lru-cache'
import { ownText } from '../../fields.ts'
import { splitCompact } from './compact.ts'
import { audiencesOf } from './claims.ts'

/** What a token says of itself. Nothing of it is proven: it chooses who judges the token, and is used for nothing else. */
export interface Peeked {
  /** What names the issuer: `iss`, or in tokens without it the subject. */
  readonly names: { readonly iss?: string; readonly sub?: string }
  readonly audiences: readonly string[]
  /** Of providers whose access tokens name the client instead of an audience. */
  readonly client?: string
}

/**
 * Looks at a three-part token without judging it. Bounded by the length of a token; costs one JSON.parse.
 * @returns undefined when the value is no such token, or has nothing that could name an issuer
 */
export function peek(value: string): Peeked | undefined {
  const parts = splitCompact(value)
  if (parts === undefined || !parts.every((part) => /^[\w-]+$/.test(part))) return undefined
  let claims: unknown
  try {
    claims = JSON.parse(Buffer.from(parts[1], 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof claims !== 'object' || claims === null) return undefined
  const { iss, sub, aud, client_id: client } = claims as Record<string, unknown>
  if (typeof iss !== 'string' && typeof sub !== 'string') return undefined
  return {
    names: { ...(typeof iss === 'string' ? { iss } : {}), ...(typeof sub === 'string' ? { sub } : {}) },
    audiences: audiencesOf(aud) ?? [],
    ...(typeof client === 'string' ? { client } : {}),
  }
}

/** One authenticator's memory of tokens that are not its own, so that a warm request asks no JSON of its neighbours. */
export interface ForeignTokens {
  has(token: string): boolean
  add(token: string): void
  /** Like `peek`; the last answer is kept, since one request asks twice. */
  peek(token: string): Peeked | undefined
}

const foreignEntries = 1_000
const foreignBytes = 4_194_304

export function createForeignTokens(): ForeignTokens {
  const foreign = new LRUCache<string, true>({
    max: foreignEntries,
    maxSize: foreignBytes,
    sizeCalculation: (_true, token) => token.length + 64,
  })
  let last: { readonly token: string; readonly peeked: Peeked | undefined } | undefined
  return {
    has: (token) => foreign.has(token),
    add: (token) => void foreign.set(ownText(token), true),
    peek(token) {
      if (last?.token !== token) last = { token, peeked: peek(token) }
      return last.peeked
    },
  }
}
