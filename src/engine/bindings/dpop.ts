/** Checks proofs of possession: whoever uses a token shows with each request that the key is theirs. */
import { hash } from 'node:crypto'
import { decodeCanonical, parsePart, splitCompact } from '../authenticators/jwt/compact.ts'
import { holdsSignature } from '../authenticators/jwt/signature.ts'
import { rejected, type Rejected } from '../outcome.ts'
import type { GatewayRequest } from '../request.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Once } from '../../ports/once.ts'
import type { ServerNonces } from './nonce.ts'
import { judgeProofClaims, type ProofClaims } from './proof-claims.ts'
import { createProofHeaders, type ProofHeader } from './proof-header.ts'

export interface ProofDependencies {
  readonly clock: Clock
  readonly once: Once
  readonly nonces: ServerNonces
}

export interface ProofRules {
  /** Whether proofs must carry a nonce of ours. */
  readonly nonce: boolean
  /** Milliseconds that a proof may be old, or ahead of our clock. */
  readonly window: number
}

/** What the proof must have been made for. */
export interface ProofTarget {
  readonly request: GatewayRequest
  /** The access token as it was presented. */
  readonly token: string
  /** Thumbprint of the key that the token is bound to. */
  readonly jkt: string
}

export interface Proven {
  readonly outcome: 'proven'
  /** Field lines for the answer, flat: a nonce to go on with. */
  readonly fields?: readonly string[]
}

export interface ProofJudge {
  /** A promise only where the replay memory is elsewhere. */
  judge(target: ProofTarget, rules: ProofRules): Proven | Rejected | Promise<Proven | Rejected>
}

const maxProofLength = 8_192

/** Replicas that share a memory need not have quite the same clock. Milliseconds. */
const clockSlack = 5_000

const proven: Proven = Object.freeze({ outcome: 'proven' })

/**
 * In the order of what it costs: bytes and text first, then the signature, and only a proof that holds in every other way is
 * remembered, so that nobody fills the memory who has no key and no token.
 *
 * @see RFC 9449 sections 4.3, 7.1, 9 and 11.1
 */
export function createProofJudge({ clock, once, nonces }: ProofDependencies): ProofJudge {
  const headers = createProofHeaders()
  // One request may be judged twice (a route that is tried out beside the one in force), and is no replay of itself.
  const own = new WeakMap<GatewayRequest, string>()

  const judge = (target: ProofTarget, rules: ProofRules): Proven | Rejected | Promise<Proven | Rejected> => {
    const { request, token, jkt } = target
    const proof = proofOf(request)
    if (typeof proof !== 'string') return proof
    const parts = proof.length > maxProofLength ? undefined : splitCompact(proof)
    if (parts === undefined) return rejected('dpop_malformed', 'not three parts')
    const header = headers.read(parts[0], jkt)
    if ('outcome' in header) return header
    const written = parsePart(parts[1])
    const signature = decodeCanonical(parts[2])
    if (written === undefined || signature === undefined)
      return rejected('dpop_malformed', 'the payload or signature')
    const claims = judgeProofClaims(written, { request, token, now: clock.now(), window: rules.window })
    if ('outcome' in claims) return claims
    const freshness = rules.nonce ? judgeNonce(claims) : proven
    if (freshness.outcome === 'rejected') return freshness
    const signed = Buffer.from(proof.slice(0, parts[0].length + 1 + parts[1].length), 'latin1')
    if (!holdsSignature(header.alg, header.key, signed, signature)) return rejected('dpop_signature')
    headers.remember(parts[0], header)
    return remember(request, header, claims, freshness)
  }

  const judgeNonce = ({ nonce }: ProofClaims): Proven | Rejected => {
    const age = nonce === undefined ? 'unknown' : nonces.judge(nonce)
    if (age === 'current') return proven
    const fields = ['DPoP-Nonce', nonces.current()]
    return age === 'previous'
      ? { outcome: 'proven', fields }
      : { ...rejected('dpop_nonce'), proofError: 'use_dpop_nonce', fields }
  }

  const remember = (
    request: GatewayRequest,
    { jkt }: ProofHeader,
    { jti, staleAt }: ProofClaims,
    good: Proven,
  ): Proven | Rejected | Promise<Proven | Rejected> => {
    const key = `dpop:${jkt}:${hash('sha256', jti, 'base64url')}`
    if (own.get(request) === key) return good
    const settle = (answer: 'new' | 'seen'): Proven | Rejected => {
      if (answer === 'seen') return rejected('dpop_replayed')
      own.set(request, key)
      return good
    }
    try {
      const answer = once.remember(key, staleAt + clockSlack)
      return typeof answer === 'string' ? settle(answer) : answer.then(settle, () => unremembered)
    } catch {
      return unremembered
    }
  }

  return Object.freeze({ judge })
}

/** What cannot be remembered could be replayed, so it does not pass. */
const unremembered: Rejected = Object.freeze({ ...rejected('replay_unavailable'), retryAfter: 1 })

/** @see RFC 9449 section 4.3 (1): two proofs, and one that is checked is not the one that somebody else reads */
function proofOf(request: GatewayRequest): string | Rejected {
  const count = request.count('dpop')
  if (count === 0) return { ...rejected('dpop_missing'), proofError: 'invalid_token' }
  return count === 1 ? (request.header('dpop') ?? '') : rejected('dpop_malformed', 'several fields')
}
