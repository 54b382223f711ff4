import { LRUCache } from 'lru-cache'
import { ownText } from '../../fields.ts'
import { parseCompact, splitCompact, type CompactToken } from './compact.ts'
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
  return peekAt(parseCompact(value)?.claims ?? looseClaims(value))
}

/** Of a token that the strict reading does not take: its owner is still the one to refuse it. */
function looseClaims(value: string): unknown {
  const parts = splitCompact(value)
  if (parts === undefined || !parts.every((part) => /^[\w-]+$/.test(part))) return undefined
  try {
    return JSON.parse(Buffer.from(parts[1], 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

function peekAt(claims: unknown): Peeked | undefined {
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
  /** Like `parseCompact`; what was taken apart to look at it is not taken apart again to judge it. */
  parsed(token: string): CompactToken | undefined
}

const foreignEntries = 1_000
const foreignBytes = 4_194_304

export function createForeignTokens(): ForeignTokens {
  const foreign = new LRUCache<string, true>({
    max: foreignEntries,
    maxSize: foreignBytes,
    sizeCalculation: (_true, token) => token.length + 64,
  })
  let last: { readonly token: string; readonly compact: CompactToken | undefined } | undefined
  let peeked: { readonly of: object; readonly answer: Peeked | undefined } | undefined
  const parsed = (token: string): { readonly token: string; readonly compact: CompactToken | undefined } => {
    if (last?.token !== token) last = { token, compact: parseCompact(token) }
    return last
  }
  return {
    has: (token) => foreign.has(token),
    add: (token) => void foreign.set(ownText(token), true),
    peek(token) {
      const taken = parsed(token)
      if (peeked?.of !== taken)
        peeked = { of: taken, answer: peekAt(taken.compact?.claims ?? looseClaims(token)) }
      return peeked.answer
    },
    parsed: (token) => parsed(token).compact,
  }
}
