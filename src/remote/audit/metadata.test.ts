import { describe, expect, it } from 'vitest'
import type { EndpointName } from '../discovery.ts'
import { judgeMetadata, type MetadataQuestion } from './metadata.ts'
import type { ProviderNeeds } from './needs.ts'

const issuer = 'https://login.example.com'
const sound = {
  issuer,
  jwks_uri: `${issuer}/keys`,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  introspection_endpoint: `${issuer}/introspect`,
  revocation_endpoint: `${issuer}/revoke`,
  end_session_endpoint: `${issuer}/logout`,
  pushed_authorization_request_endpoint: `${issuer}/par`,
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
  backchannel_logout_supported: true,
  id_token_signing_alg_values_supported: ['RS256', 'ES256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
}

const login: ProviderNeeds = {
  endpoints: new Map<EndpointName, string>([
    ['authorization', 'authenticator "browser"'],
    ['token', 'authenticator "browser"'],
    ['endSession', 'authenticator "browser"'],
    ['revocation', 'authenticator "browser"'],
  ]),
  logins: ['authenticator "browser"'],
  sharesLogin: false,
  verifiers: [{ by: 'authenticator "browser"', algorithms: ['RS256'] }],
  clients: [{ by: 'authenticator "browser"', method: 'secret', endpoint: 'token' }],
}
const nothing: ProviderNeeds = {
  endpoints: new Map(),
  logins: [],
  sharesLogin: false,
  verifiers: [],
  clients: [],
}

function judge(
  changes: Readonly<Record<string, unknown>>,
  needs: ProviderNeeds = login,
  question: Partial<MetadataQuestion> = {},
): readonly string[] {
  const findings = judgeMetadata({
    name: 'corp',
    source: `${issuer}/.well-known/openid-configuration`,
    document: { ...sound, ...changes },
    issuers: [issuer],
    explicit: {},
    allowInsecure: false,
    namesKeys: true,
    needs,
    ...question,
  })
  return findings.map(({ id, severity, message }) => `${severity} ${id}: ${message}`)
}

describe('metadata', () => {
  it('that has all that is needed is not spoken of', () => {
    expect(judge({})).toEqual([])
    expect(judge({ issuer }, nothing, { namesKeys: false })).toEqual([])
  })

  it('must name the issuer to the letter', () => {
    expect(judge({ issuer: `${issuer}/` })).toEqual([
      expect.stringMatching(/^error provider-issuer: .*trailing slash/),
    ])
    expect(judge({ issuer: 'https://evil.example' })).toEqual([
      expect.stringMatching(
        /^error provider-issuer: .*"https:\/\/evil\.example".*"https:\/\/login\.example\.com"$/,
      ),
    ])
    expect(judge({ issuer: undefined })).toEqual([expect.stringMatching(/^error provider-metadata/)])
    expect(judge({ issuer: 'b' }, nothing, { issuers: ['a', 'b'] })).toEqual([])
  })

  it('must have the endpoints that the configuration uses, unless they are written there', () => {
    expect(judge({ token_endpoint: undefined })).toEqual([
      expect.stringMatching(
        /^error provider-endpoint-missing: .*`token_endpoint`, which authenticator "browser" needs$/,
      ),
    ])
    expect(judge({ token_endpoint: undefined }, login, { explicit: { token: `${issuer}/t` } })).toEqual([])
    expect(judge({ jwks_uri: '' })).toEqual([
      expect.stringMatching(/^error provider-endpoint-missing: .*`jwks_uri`/),
    ])
    expect(judge({ introspection_endpoint: undefined })).toEqual([])
  })

  it('may lack what a logout would like to have', () => {
    expect(judge({ end_session_endpoint: undefined, revocation_endpoint: undefined })).toEqual([
      expect.stringMatching(/^warning provider-endpoint-missing: .*signed in there/),
      expect.stringMatching(/^warning provider-endpoint-missing: .*refresh token/),
    ])
  })

  it('must not lead to plain HTTP', () => {
    expect(judge({ token_endpoint: 'http://login.example.com/token' })).toEqual([
      expect.stringMatching(/^error provider-endpoint-plain-http: .*`token_endpoint`/),
    ])
    expect(
      judge({ token_endpoint: 'http://login.example.com/token' }, login, { allowInsecure: true }),
    ).toEqual([])
  })

  it('must offer the way in which the gateway proves itself', () => {
    const by = (method: 'secret' | 'private_key_jwt' | 'mtls'): ProviderNeeds => ({
      ...login,
      clients: [{ by: 'authenticator "browser"', method, endpoint: 'token' }],
    })
    expect(judge({}, by('private_key_jwt'))).toEqual([])
    expect(judge({}, by('mtls'))).toEqual([
      expect.stringMatching(
        /^error provider-client-authentication: .*"client_secret_basic", "private_key_jwt"/,
      ),
    ])
    // Left out it means client_secret_basic.
    expect(judge({ token_endpoint_auth_methods_supported: undefined })).toEqual([])
    expect(judge({ token_endpoint_auth_methods_supported: undefined }, by('private_key_jwt'))).toHaveLength(1)
    const looksUp: ProviderNeeds = {
      ...nothing,
      clients: [{ by: 'authenticator "opaque"', method: 'mtls', endpoint: 'introspection' }],
    }
    expect(judge({ introspection_endpoint_auth_methods_supported: ['tls_client_auth'] }, looksUp)).toEqual([])
  })

  it('should say that a login is safe there', () => {
    expect(judge({ code_challenge_methods_supported: undefined })).toEqual([
      expect.stringMatching(/^warning provider-pkce: .*does not say/),
    ])
    expect(judge({ code_challenge_methods_supported: ['plain'] })).toEqual([
      expect.stringMatching(/^warning provider-pkce: .*not with S256/),
    ])
    expect(judge({ authorization_response_iss_parameter_supported: undefined })).toEqual([
      expect.stringMatching(/^note provider-iss-parameter/),
    ])
    expect(
      judge({ authorization_response_iss_parameter_supported: false }, { ...login, sharesLogin: true }),
    ).toEqual([expect.stringMatching(/^warning provider-iss-parameter/)])
    expect(
      judge({ pushed_authorization_request_endpoint: undefined, backchannel_logout_supported: 'yes' }),
    ).toEqual([
      expect.stringMatching(/^note provider-pushed-requests/),
      expect.stringMatching(/^note provider-backchannel-logout/),
    ])
  })

  it('is asked nothing about logins where nobody signs in', () => {
    expect(judge({ code_challenge_methods_supported: undefined }, nothing)).toEqual([])
  })

  it('should sign with algorithms that are taken, and with none that everybody can', () => {
    expect(judge({ id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256'] })).toEqual([
      expect.stringMatching(/^warning provider-algorithms: .*"none", "HS256"/),
    ])
    expect(judge({ id_token_signing_alg_values_supported: ['PS512'] })).toEqual([
      expect.stringMatching(/^warning provider-algorithms: .*authenticator "browser" \(RS256\)/),
    ])
  })

  it.each([['text'], [7], [null], [{}]])('survives members that are %j', (strange) => {
    const changes = Object.fromEntries(Object.keys(sound).map((name) => [name, strange]))
    expect(judge(changes).length).toBeGreaterThan(0)
  })
})
