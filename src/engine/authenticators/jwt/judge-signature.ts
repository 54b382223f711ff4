import type { KeyLookup, VerificationKey } from '../../../ports/key-sets.ts'
import { rejected, type Rejected } from '../../outcome.ts'
import type { Claims, Profile } from '../../providers/profile.ts'
import { isPublicKeyAlgorithm, keyFits } from './algorithms.ts'
import type { CompactToken } from './compact.ts'
import type { JwtRules } from './rules.ts'
import { holdsHmac, holdsSignature } from './signature.ts'

/** Where the key comes from: the provider's published set, or the authenticator's own secret. */
export type KeySource = KeyLookup | 'secret'

/** @returns why the token is not the provider's; undefined when it is. The fit of key and algorithm is checked here too. */
export function judgeSignature(
  alg: string,
  { claims, signed, signature }: CompactToken,
  source: KeySource,
  { secret, profile }: Pick<JwtRules, 'secret' | 'profile'>,
): Rejected | undefined {
  if (source === 'secret') {
    const holds = secret !== undefined && holdsHmac(secret.algorithm(alg), secret.key, signed, signature)
    return holds ? undefined : rejected('token_signature')
  }
  switch (source.outcome) {
    case 'unavailable':
      return { ...rejected('key_set_unavailable'), retryAfter: Math.ceil(source.retryAfter / 1000) }
    case 'unknown':
      return rejected('token_key_unknown')
    case 'unfit':
      return rejected('token_key_unfit')
    case 'found': {
      const { key } = source
      if (!isPublicKeyAlgorithm(alg) || !keyFits(alg, key)) return rejected('token_key_unfit')
      if (!maySign(key, claims, profile)) {
        return rejected('token_key_unfit', 'the key is published for another issuer')
      }
      return holdsSignature(alg, key.key, signed, signature) ? undefined : rejected('token_signature')
    }
  }
}

function maySign({ issuer }: VerificationKey, claims: Claims, profile: Profile): boolean {
  return issuer === undefined || profile.keySignsFor(issuer, claims)
}
