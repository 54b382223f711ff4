/** How a token authenticator's `binding` and `dpop` are read, told to clients, and where they make it look for tokens. */
import type { Binding } from '../authenticators/authenticator.ts'
import type { AuthenticatorSettings } from '../authenticators/settings.ts'
import { bearerWay, dpopWay, type Challenge } from '../challenge.ts'
import type { CredentialPlace } from '../identity.ts'
import type { ProofRules } from './dpop.ts'

/** What an authenticator of tokens demands. */
export interface BindingSettings {
  /**
   * `none` and `optional` demand nothing of unbound tokens (`optional` tells clients that bound ones are welcome); `required`
   * takes bound ones only, `dpop` and `mtls` only those that are bound in this way. A bound token is held to it under each.
   */
  readonly mode: Binding['mode']
  readonly dpop: ProofRules
}

/** The two members as they are written, defaults applied. */
export interface ParsedBinding {
  readonly binding: Binding['mode']
  readonly dpop: ProofRules
}

export function compileBinding({ binding, dpop }: ParsedBinding): BindingSettings {
  return { mode: binding, dpop: { nonce: dpop.nonce, window: dpop.window } }
}

/**
 * A bound token comes by the scheme `DPoP`, whatever the settings demand: under `binding: none` too it must be found in order
 * to be held to its key.
 *
 * @returns the places, and beside each that is read by `Bearer` the same one by `DPoP`
 * @see RFC 9449 section 7.1
 */
export function tokenPlaces(places: readonly CredentialPlace[]): readonly CredentialPlace[] {
  return places.flatMap((place) =>
    place.kind === 'header' && place.scheme?.toLowerCase() === 'bearer'
      ? [place, { ...place, scheme: 'DPoP' }]
      : [place],
  )
}

/**
 * @param metadata where the protected-resource metadata is (RFC 9728 section 5.1)
 * @returns how clients are told to send tokens: by DPoP only where nothing else passes, by both where both may
 */
export function tokenWays(mode: Binding['mode'], metadata?: string): readonly Challenge[] {
  switch (mode) {
    case 'none':
    case 'mtls':
      return [bearerWay(metadata)]
    case 'dpop':
      return [dpopWay(metadata)]
    case 'optional':
    case 'required':
      return [bearerWay(metadata), dpopWay(metadata)]
  }
}

/** @returns what an authenticator of tokens demands; undefined for one of anything else */
export function bindingOf(settings: AuthenticatorSettings): BindingSettings | undefined {
  return 'binding' in settings ? (settings.binding as BindingSettings) : undefined
}
