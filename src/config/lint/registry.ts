/** All findings of `check` that need no network, in the order of docs/checks.md. To add one: its file, and a line here. */
import { authenticatorRules } from './authenticator-rules.ts'
import type { Rule } from './rule.ts'
import { apiKeysOnly } from './rules/api-keys-only.ts'
import { audienceAny } from './rules/audience-any.ts'
import { auditOff } from './rules/audit-off.ts'
import { authorizeNobody } from './rules/authorize-nobody.ts'
import { broadScopes } from './rules/broad-scopes.ts'
import { clockSkew } from './rules/clock-skew.ts'
import { credentialKept } from './rules/credential-kept.ts'
import { hmacSecret } from './rules/hmac-secret.ts'
import { idTokensAccepted } from './rules/id-tokens-accepted.ts'
import { keysWithoutExpiry } from './rules/keys-without-expiry.ts'
import { certificatesNeverAsked } from './rules/certificates-never-asked.ts'
import { listenerPlainHttp } from './rules/listener-plain-http.ts'
import { lockoutOff } from './rules/lockout-off.ts'
import { noAuthorize } from './rules/no-authorize.ts'
import { noTrustedProxies } from './rules/no-trusted-proxies.ts'
import { nodeRelease } from './rules/node-release.ts'
import { openProvider } from './rules/open-provider.ts'
import { proofAnyHost } from './rules/proof-any-host.ts'
import { proofWindow } from './rules/proof-window.ts'
import { providerPlainHttp } from './rules/provider-plain-http.ts'
import { publicBesideProtected } from './rules/public-beside-protected.ts'
import { queryCredential } from './rules/query-credential.ts'
import { revocationsMayBeStale } from './rules/revocations-may-be-stale.ts'
import { secretInFile } from './rules/secret-in-file.ts'
import { shadowedRoute } from './rules/shadowed-route.ts'
import { storeInMemory } from './rules/store-in-memory.ts'
import { tokenLifetime } from './rules/token-lifetime.ts'
import { trustsEverybody } from './rules/trusts-everybody.ts'
import { unusedAuthenticator } from './rules/unused-authenticator.ts'
import { unusedProvider } from './rules/unused-provider.ts'
import { unusedUpstream } from './rules/unused-upstream.ts'
import { upstreamCannotTell } from './rules/upstream-cannot-tell.ts'

export const rules: readonly Rule[] = [
  providerPlainHttp,
  openProvider,
  trustsEverybody,
  authorizeNobody,
  noAuthorize,
  audienceAny,
  tokenLifetime,
  proofAnyHost,
  proofWindow,
  idTokensAccepted,
  hmacSecret,
  apiKeysOnly,
  keysWithoutExpiry,
  queryCredential,
  ...authenticatorRules,
  broadScopes,
  publicBesideProtected,
  shadowedRoute,
  upstreamCannotTell,
  credentialKept,
  unusedAuthenticator,
  unusedProvider,
  unusedUpstream,
  secretInFile,
  auditOff,
  lockoutOff,
  listenerPlainHttp,
  certificatesNeverAsked,
  noTrustedProxies,
  clockSkew,
  revocationsMayBeStale,
  storeInMemory,
  nodeRelease,
]
