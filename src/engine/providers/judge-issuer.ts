import { rejected, type Rejected } from '../outcome.ts'
import type { Claims, Profile } from './profile.ts'

/**
 * Whose statement these claims are, and whether the provider's settings take the bearer: of a token, of an ID token, of an
 * answer to a look-up alike. Cheap, so that it can be asked before anything is verified; a yes proves nothing yet.
 * @returns why not; undefined when nothing is against it
 */
export function judgeIssuer(claims: Claims, profile: Profile): Rejected | undefined {
  const issuer = profile.issuerOf(claims)
  if (issuer === undefined || !profile.acceptsIssuer(issuer)) return rejected('token_issuer')
  const fault = profile.issuerFault(claims)
  if (fault !== undefined) return rejected('token_issuer', fault)
  const stranger = profile.admissionFault(claims)
  return stranger === undefined ? undefined : rejected('token_not_admitted', stranger)
}
