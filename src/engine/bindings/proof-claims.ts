/** What a proof says: which request it was made for, with which token, and when. All of it cheap to check. */
import { hash } from 'node:crypto'
import { rejected, type Rejected } from '../outcome.ts'
import type { GatewayRequest } from '../request.ts'
import { isSentTo } from './target-uri.ts'

type Claims = Readonly<Record<string, unknown>>

export interface ProofFacts {
  readonly request: GatewayRequest
  /** The access token as it was presented. */
  readonly token: string
  readonly now: number
  /** Milliseconds to both sides of now. */
  readonly window: number
}

/** What is needed after the other checks. */
export interface ProofClaims {
  readonly jti: string
  readonly nonce: string | undefined
  /** Milliseconds since the epoch: the proof is stale from then on. */
  readonly staleAt: number
}

const maxIdLength = 256

/** @see RFC 9449 section 4.2, and 4.3 (3), (8), (9), (11) and (12) */
export function judgeProofClaims(
  claims: Claims,
  { request, token, now, window }: ProofFacts,
): ProofClaims | Rejected {
  const { jti, htm, htu, iat, ath, nonce } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > maxIdLength)
    return rejected('dpop_malformed', '`jti` is no text of 1 to 256 characters')
  if (typeof htm !== 'string' || typeof htu !== 'string' || typeof ath !== 'string')
    return rejected('dpop_malformed', '`htm`, `htu` or `ath` is missing or no text')
  if (typeof iat !== 'number') return rejected('dpop_malformed', '`iat` is missing or no time')
  if (nonce !== undefined && typeof nonce !== 'string')
    return rejected('dpop_malformed', '`nonce` is no text')
  // Methods are case-sensitive (RFC 9110 section 9.1).
  if (htm !== request.method) return rejected('dpop_htm')
  if (!isSentTo(htu, request))
    return rejected(
      'dpop_htu',
      request.publicOrigin === undefined ? 'the request was sent to no public host' : undefined,
    )
  // Ahead as well as behind: the clocks of clients are nobody's business, those of providers say nothing of them.
  const made = iat * 1_000
  if (!(made >= now - window && made <= now + window)) return rejected('dpop_stale')
  const ended = judgeLife(claims, now)
  if (ended !== undefined) return ended
  if (ath !== hash('sha256', token, 'base64url')) return rejected('dpop_ath')
  return { jti, nonce, staleAt: made + window }
}

/** Not among a proof's claims, but what a token says of its own end holds for any token (RFC 7519 sections 4.1.4 and 4.1.5). */
function judgeLife({ exp, nbf }: Claims, now: number): Rejected | undefined {
  if ((exp !== undefined && typeof exp !== 'number') || (nbf !== undefined && typeof nbf !== 'number'))
    return rejected('dpop_malformed', '`exp` or `nbf` is no time')
  const isOver = exp !== undefined && now >= exp * 1_000
  return isOver || (nbf !== undefined && now < nbf * 1_000) ? rejected('dpop_stale') : undefined
}
