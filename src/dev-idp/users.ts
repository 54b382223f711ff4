// Who may sign in and which applications may ask: the people and clients of the sample catalog.
import type { JWK } from 'jose'

/** A person who can sign in at the login page. */
export interface DevUser {
  /** The user name, which is also the `sub` of every token. */
  readonly name: string
  readonly password: string
  /** The value of the `roles` claim. */
  readonly roles: readonly string[]
  /** The most that a token of this user may carry, whatever a client asks for. */
  readonly scopes: readonly string[]
  /** Further claims of this user's tokens, such as a tenant. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** The grants that a client may use. */
export type DevGrant = 'authorization_code' | 'client_credentials' | 'refresh_token'

/** An application that is registered here. */
export interface DevClient {
  readonly id: string
  /** Sent in `Authorization: Basic` or in the form. Without one the client is public and PKCE is all that it has. */
  readonly secret?: string
  /** Where it sends the secret. Default `header`. */
  readonly secretIn?: 'header' | 'form'
  /** Public keys, instead of a secret: it signs who it is (`private_key_jwt`). */
  readonly keys?: readonly JWK[]
  /** Answers to its introspections are signed where it asks for that (RFC 9701). */
  readonly signedIntrospection?: boolean
  readonly grants: readonly DevGrant[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  /** Told when a user signs out here; ID tokens of the client then name the session (`sid`). */
  readonly backchannelLogoutUri?: string
  /** The scopes of the audience that the client may have; all of them if absent. */
  readonly scopes?: readonly string[]
  /** The `roles` claim of tokens in which the client speaks for itself. */
  readonly roles?: readonly string[]
  /** The form of its access tokens; `opaque` ones can only be introspected. Default `jwt`. */
  readonly accessTokens?: 'jwt' | 'opaque'
}

/** The three people of the sample catalog. */
export function defaultUsers(): readonly DevUser[] {
  return [
    { name: 'viewer', password: 'viewer-password', roles: ['viewer'], scopes: ['catalog:read'] },
    {
      name: 'editor',
      password: 'editor-password',
      roles: ['editor'],
      scopes: ['catalog:read', 'catalog:write'],
    },
    {
      name: 'admin',
      password: 'admin-password',
      roles: ['admin'],
      scopes: ['catalog:read', 'catalog:write', 'catalog:admin'],
    },
  ]
}

/**
 * A service that speaks for itself and a web application that signs people in.
 *
 * @param gatewayOrigin - where the gateway's own sign-in endpoints will be
 */
export function defaultClients(gatewayOrigin = 'http://127.0.0.1:8080'): readonly DevClient[] {
  // People type either name of this machine.
  const origins = [gatewayOrigin, gatewayOrigin.replace('//127.0.0.1:', '//localhost:')]
  return [
    {
      id: 'catalog-sync',
      secret: 'catalog-sync-secret',
      grants: ['client_credentials'],
      redirectUris: [],
      scopes: ['catalog:read'],
      roles: ['service'],
    },
    {
      id: 'web',
      secret: 'web-secret',
      grants: ['authorization_code', 'refresh_token'],
      redirectUris: origins.map((origin) => `${origin}/.portcullis/callback/dev`),
      postLogoutRedirectUris: origins.map((origin) => `${origin}/.portcullis/logged-out`),
      backchannelLogoutUri: `${gatewayOrigin}/.portcullis/backchannel-logout/dev`,
    },
  ]
}
