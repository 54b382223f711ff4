/** Proves tokens that only their provider can read, by asking it, and remembers its answers for a while. */
import type { Clock } from '../../../ports/clock.ts'
import type { IntrospectionAnswer, Introspector } from '../../../ports/introspector.ts'
import type { RevocationCheck } from '../../../ports/revocations.ts'
import { bindTokens } from '../../bindings/bind.ts'
import type { ProofJudge } from '../../bindings/dpop.ts'
import { tokenPlaces, tokenWays } from '../../bindings/settings.ts'
import { metadataUrl } from '../../resources/resource.ts'
import type { CredentialPlace } from '../../identity.ts'
import { ownText } from '../../fields.ts'
import { rejected, type Outcome, type Rejected, type Verified } from '../../outcome.ts'
import type { Profile } from '../../providers/profile.ts'
import type { GatewayRequest } from '../../request.ts'
import type { Authenticator, Presented, SubjectToken } from '../authenticator.ts'
import { maxTokenLength } from '../jwt/compact.ts'
import { cameBy, isRevoked, revocableFacts, tokenCredential } from '../token-facts.ts'
import { createAnswerCache, type KnownAnswer } from './answer-cache.ts'
import { compileAnswerRules, judgeAnswer, type AnswerRules } from './judge-answer.ts'
import type { LookupLimits, Permit, Refused } from './lookup-limits.ts'
import type { IntrospectionSettings } from './settings.ts'

export interface IntrospectionDependencies {
  readonly profile: Profile
  readonly introspector: Introspector
  /** One for the provider, whoever asks it. */
  readonly limits: LookupLimits
  readonly clock: Clock
  readonly revocations: RevocationCheck
  readonly proofs: ProofJudge
  /** Answers to remember; 10,000 by default. */
  readonly cacheSize?: number
  readonly onCache?: (outcome: 'hit' | 'miss') => void
}

/**
 * Takes whatever nobody else takes at its place. A new instance remembers nothing, so a reload keeps it exactly while
 * authenticator and provider are unchanged.
 * @see RFC 7662
 */
export function createIntrospectionAuthenticator(
  settings: IntrospectionSettings,
  deps: IntrospectionDependencies,
): Authenticator {
  const { profile, introspector, limits, clock, revocations, proofs, cacheSize, onCache } = deps
  const rules = compileAnswerRules(settings, profile)
  const metadata = settings.resource && metadataUrl(settings.resource.id)
  const answers = createAnswerCache(cacheSize)
  const underWay = new Map<string, Promise<Found>>()

  const recall = ({ value, place }: Presented): Outcome | undefined => {
    const known = answers.good.get(value)
    if (known === undefined || clock.now() >= known.freshUntil) return undefined
    return standing(known, place)
  }

  const standing = (known: KnownAnswer, place: CredentialPlace): Outcome =>
    isRevoked(known, revocations) ? rejected('token_revoked') : cameBy(place, known.verified)

  /** The old answer, where it may serve while the provider is away. */
  const staleOr = (token: string, why: Rejected): Found => {
    const known = answers.good.get(token)
    return known !== undefined && clock.now() < known.staleUntil ? known : why
  }

  const lookUp = async ({ value: token, place }: Presented, permit: Permit): Promise<Found> => {
    let answer: IntrospectionAnswer
    try {
      answer = await introspector.introspect(token)
    } catch (error) {
      permit.failed(0, clock.now())
      throw error
    }
    const now = clock.now()
    if (answer.outcome === 'unavailable') {
      // A token that the provider stumbles over must not look like a provider that is away: anybody can make one up.
      if (answer.fault === 'malformed' || answer.fault === 'server_error') permit.answered(false, now)
      else permit.failed(answer.retryAfter, now)
      return staleOr(token, away(answer))
    }
    const found =
      answer.outcome === 'active' ? remember(answer.claims, rules, settings, place, now) : inactive
    permit.answered(!('outcome' in found), now)
    if ('outcome' in found) answers.refuse(token, found, now)
    else answers.good.set(ownText(token), found)
    return found
  }

  const begin = (presented: Presented, request: GatewayRequest): Found | Promise<Found> => {
    const { value: token } = presented
    const now = clock.now()
    const refused = answers.refusal(token, now)
    if (refused !== undefined) return refused
    const joined = underWay.get(token)
    if (joined !== undefined) return joined
    const permit = limits.admit(request.clientIp, now)
    if ('why' in permit) return permit.why === 'away' ? staleOr(token, tooMany(permit)) : tooMany(permit)
    const look = lookUp(presented, permit).finally(() => underWay.delete(token))
    underWay.set(token, look)
    return look
  }

  return Object.freeze({
    name: settings.name,
    type: 'introspection',
    places: tokenPlaces(settings.in),
    challenges: tokenWays(settings.binding.mode, metadata),
    ...(metadata === undefined ? {} : { resourceMetadata: metadata }),
    binding: bindTokens(settings.binding, { clock, proofs }),
    takes: ({ value }: Presented) => (mayBeToken(value) ? 'maybe' : 'no'),
    recall(presented: Presented) {
      const outcome = recall(presented)
      onCache?.(outcome === undefined ? 'miss' : 'hit')
      return outcome
    },
    subjectToken: (_proven: Verified, { value }: Presented): SubjectToken => ({
      token: value,
      type: 'access_token',
    }),
    verify(presented: Presented, request: GatewayRequest) {
      const settle = (found: Found): Outcome =>
        'outcome' in found ? found : standing(found, presented.place)
      const found = begin(presented, request)
      return found instanceof Promise ? found.then(settle) : settle(found)
    },
  } satisfies Authenticator)
}

type Found = KnownAnswer | Rejected

const inactive: Rejected = Object.freeze(rejected('token_inactive'))

/** Only what a provider could have issued is worth a question. @see RFC 6750 section 2.1 */
function mayBeToken(value: string): boolean {
  return value.length <= maxTokenLength && /^[\x21-\x7e]+$/.test(value)
}

function remember(
  claims: Readonly<Record<string, unknown>>,
  rules: AnswerRules,
  { cacheFor, staleFor }: IntrospectionSettings,
  place: CredentialPlace,
  now: number,
): Found {
  const judged = judgeAnswer(claims, rules, now)
  if ('outcome' in judged) return judged
  const credential = tokenCredential('introspection', judged, judged.times, place, rules)
  if (now >= credential.expiresAt) return rejected('token_expired')
  const { expires } = judged.times
  return {
    verified: Object.freeze({ outcome: 'verified', identity: judged.identity, credential }),
    freshUntil: Math.min(now + cacheFor, expires),
    staleUntil: Math.min(now + cacheFor + staleFor, expires),
    revocable: revocableFacts(judged, credential, rules.profile),
  }
}

function away({ detail, retryAfter }: IntrospectionAnswer & { outcome: 'unavailable' }): Rejected {
  return { ...rejected('introspection_unavailable', detail), retryAfter: Math.ceil(retryAfter / 1_000) }
}

function tooMany({ why, retryAfter }: Refused): Rejected {
  const detail = {
    address: 'too many look-ups, or failed ones, from this address',
    provider: 'too many look-ups, or failed ones, at this provider',
    away: 'the provider did not answer lately',
  }[why]
  const reason = why === 'away' ? 'introspection_unavailable' : 'introspection_limited'
  return { ...rejected(reason, detail), retryAfter: Math.max(1, Math.ceil(retryAfter / 1_000)) }
}
