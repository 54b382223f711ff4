/** The engine's public face, exported as `portcullis/engine`: the proof, the decision, and their vocabulary. */
export {
  authenticate,
  compileChain,
  type Authenticated,
  type Authentication,
  type Chain,
  type GuessGuard,
  type NotAuthenticated,
  type Proof,
} from './authenticate.ts'
export type { Authenticator, Presented } from './authenticators/authenticator.ts'
export type { AuthenticatorParts } from './authenticators/kind.ts'
export { createAuthenticator } from './authenticators/registry.ts'
export { compileAuthorize, evaluate, type Authorization } from './authorization/evaluate.ts'
export { publicCodes, reasons, codeOf, type PublicCode, type Reason } from './errors.ts'
export type { CredentialFacts, CredentialPlace, Identity } from './identity.ts'
export { refuse, rejected, type Outcome, type Refusal, type Rejected, type Verified } from './outcome.ts'
export type { GatewayRequest } from './request.ts'
export { Secret } from './secret.ts'
