/** The authenticator types that exist, one line each: an explicit list, so that a reader, a reviewer and the type checker see the set. */
import { apiKey } from './api-key/kind.ts'
import type { Authenticator } from './authenticator.ts'
import { basic } from './basic/kind.ts'
import { httpSignature } from './http-signature/kind.ts'
import { introspection } from './introspection/kind.ts'
import { jwt } from './jwt/kind.ts'
import type { AuthenticatorKind, AuthenticatorParts } from './kind.ts'
import { mtls } from './mtls/kind.ts'
import { session } from './session/kind.ts'
import type { AuthenticatorSettings } from './settings.ts'

export const authenticatorKinds: readonly AuthenticatorKind[] = [
  apiKey,
  jwt,
  introspection,
  httpSignature,
  basic,
  session,
  mtls,
]

const byType = new Map(authenticatorKinds.map((kind) => [kind.type, kind]))

export function kindOf(type: string): AuthenticatorKind | undefined {
  return byType.get(type)
}

/** @throws TypeError for a type that does not exist, and when the settings cannot work: validation reports both first */
export function createAuthenticator(
  settings: AuthenticatorSettings,
  parts: AuthenticatorParts,
): Authenticator {
  const kind = kindOf(settings.type)
  if (kind === undefined) throw new TypeError(`no authenticator type ${settings.type}`)
  return kind.create(settings, parts)
}
