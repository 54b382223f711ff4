/**
 * The provider's access token of a session, for those who exchange it for a backend's. It stands beside the facts of the
 * credential and not among them, so that nothing that prints or stores facts can take it along.
 */
import type { CredentialFacts } from '../identity.ts'
import { Secret } from '../secret.ts'

const tokens = new WeakMap<CredentialFacts, Secret>()

export function keepAccessToken(credential: CredentialFacts, token: string): void {
  tokens.set(credential, new Secret(token))
}

/**
 * @param credential of the proof that a session gave (`Proof.verified.credential`), not one that was joined from several
 * @returns the session's access token as it was at this request; undefined for any other credential
 */
export function accessTokenOf(credential: CredentialFacts): Secret | undefined {
  return tokens.get(credential)
}
