/**
 * Holds credentials to the key that they are bound to, both ways: a bound one never passes without proof of that key, and a
 * proof never goes with a token that names no key, where it would only look as if it protected something.
 */
import type { Binding, Presented } from '../authenticators/authenticator.ts'
import type { CredentialFacts } from '../identity.ts'
import { rejected, type Outcome, type Rejected, type Verified } from '../outcome.ts'
import type { GatewayRequest } from '../request.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Proven, ProofJudge } from './dpop.ts'
import { judgeCertificate } from './mtls.ts'
import type { BindingSettings } from './settings.ts'

export interface BindingDependencies {
  readonly clock: Clock
  readonly proofs: ProofJudge
}

/** For `jwt` and `introspection`. @see RFC 9449 section 7, RFC 8705 section 3 */
export function bindTokens({ mode, dpop }: BindingSettings, deps: BindingDependencies): Binding {
  const { clock, proofs } = deps
  return Object.freeze({
    mode,
    judge(verified: Verified, presented: Presented, request: GatewayRequest) {
      const { confirmation } = verified.credential
      const strange = notUnderstood(confirmation)
      if (strange !== undefined) return strange
      const { jkt, x5tS256 } = confirmation ?? {}
      const fault =
        judgeDemand(mode, confirmation) ??
        (x5tS256 === undefined ? undefined : judgeCertificate(x5tS256, request.certificate, clock.now()))
      if (fault !== undefined) return fault
      const scheme = presented.scheme?.toLowerCase()
      if (jkt === undefined) return judgeUnproven(verified, scheme, request)
      // Said by RFC 9449 section 7.2: or else a stolen token and a stolen proof would do at servers that look at neither.
      if (scheme === 'bearer') return withError(rejected('bound_as_bearer'), 'invalid_token')
      const outcome = proofs.judge({ request, token: presented.value, jkt }, dpop)
      return outcome instanceof Promise
        ? outcome.then((settled) => conclude(verified, settled))
        : conclude(verified, outcome)
    },
  })
}

/**
 * For credentials that can be bound to a certificate and to nothing else, such as API keys. A `DPoP` field beside them is
 * somebody else's.
 */
export function bindToCertificate({ clock }: Pick<BindingDependencies, 'clock'>): Binding {
  return Object.freeze({
    mode: 'none',
    judge(verified: Verified, _presented: Presented, request: GatewayRequest) {
      const { confirmation } = verified.credential
      if (confirmation === undefined) return verified
      const strange = notUnderstood(confirmation)
      if (strange !== undefined) return strange
      const { jkt, x5tS256 } = confirmation
      if (jkt !== undefined || x5tS256 === undefined)
        return rejected('token_bound', 'bound to a key for DPoP')
      return judgeCertificate(x5tS256, request.certificate, clock.now()) ?? verified
    },
  })
}

function notUnderstood(confirmation: CredentialFacts['confirmation']): Rejected | undefined {
  if (confirmation === undefined) return undefined
  const { jkt, x5tS256, unknown } = confirmation
  if (unknown === undefined && (jkt !== undefined || x5tS256 !== undefined)) return undefined
  return rejected('token_bound', `a confirmation that is not understood: ${unknown ?? 'empty'}`)
}

/** Whether the token is bound in the way that is demanded. What it is bound to is judged in any case. */
function judgeDemand(
  mode: Binding['mode'],
  confirmation: CredentialFacts['confirmation'],
): Rejected | undefined {
  switch (mode) {
    case 'none':
    case 'optional':
      return undefined
    case 'required':
      return confirmation === undefined ? rejected('token_unbound') : undefined
    case 'mtls':
      return confirmation?.x5tS256 === undefined
        ? rejected('token_unbound', 'not bound to a certificate')
        : undefined
    case 'dpop':
      return confirmation?.jkt === undefined
        ? withError(rejected('token_unbound', 'not bound to a key for DPoP'), 'invalid_token')
        : undefined
  }
}

/** A token without `jkt`: nothing was to be proven by DPoP, so nothing may claim that it was. */
function judgeUnproven(
  verified: Verified,
  scheme: string | undefined,
  request: GatewayRequest,
): Verified | Rejected {
  if (scheme === 'dpop')
    return withError(
      rejected('dpop_unasked', 'the scheme DPoP with a token that names no key'),
      'invalid_token',
    )
  return request.count('dpop') === 0
    ? verified
    : rejected('dpop_unasked', 'a proof beside a token that names no key')
}

function conclude(verified: Verified, outcome: Proven | Rejected): Outcome {
  if (outcome.outcome === 'rejected') return { proofError: 'invalid_dpop_proof', ...outcome }
  if (outcome.fields === undefined) return verified
  return { ...verified, credential: { ...verified.credential, answerFields: outcome.fields } }
}

function withError(why: Rejected, proofError: NonNullable<Rejected['proofError']>): Rejected {
  return { ...why, proofError }
}
