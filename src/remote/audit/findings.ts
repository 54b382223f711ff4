/** What `check --online` can find at a provider: a closed table, from which docs/checks.md is made too. */

export type OnlineSeverity = 'error' | 'warning' | 'note'

/** `severity` is the usual one; a single finding may be milder. */
export const onlineChecks = {
  'provider-unreachable': {
    severity: 'error',
    about:
      'The metadata or the keys of a provider cannot be fetched. Nobody who comes with its credentials gets in.',
    fix: 'Ask for the address from this machine (`curl -v`): name, route, proxy, certificate. A private authority goes into `ca`.',
  },
  'provider-metadata': {
    severity: 'error',
    about:
      'What a provider answers at its metadata address is no metadata, or lacks what the standard asks for.',
    fix: "Check the issuer's path; without metadata set `discovery: false` and name the endpoints.",
  },
  'provider-issuer': {
    severity: 'error',
    about:
      "The metadata names another issuer than the configuration, if only by a trailing slash. Tokens carry the provider's own spelling, and are all refused.",
    fix: 'Write the issuer exactly as the provider spells it.',
  },
  'provider-endpoint-missing': {
    severity: 'error',
    about:
      'The configuration needs an endpoint that the provider does not publish. Some can be done without, at a price: then this is a warning.',
    fix: 'Switch it on at the provider, or name it under `endpoints`.',
  },
  'provider-endpoint-plain-http': {
    severity: 'error',
    about:
      'The metadata leads to an endpoint over plain HTTP on another machine. The gateway does not follow it.',
    fix: "Correct the provider's public address: often a proxy in front of it does not tell it about https.",
  },
  'provider-keys': {
    severity: 'error',
    about: 'The published key set has no key that the configured algorithms could be checked with.',
    fix: 'Compare `algorithms` with what the provider signs with.',
  },
  'provider-key-private': {
    severity: 'error',
    about: 'The key set publishes the private half of a key, or a shared secret. Everybody can sign with it.',
    fix: 'Revoke that key at the provider at once.',
  },
  'provider-key-weak': {
    severity: 'warning',
    about:
      'The key set has an RSA key under 2048 bits, or one with a bad exponent. The gateway uses none of them: tokens that they sign are refused.',
    fix: 'Have the provider sign with RSA of at least 2048 bits, or with ES256 or EdDSA.',
  },
  'provider-key-ids': {
    severity: 'warning',
    about:
      'Keys without `kid`, or several with the same one. The gateway does not try one after the other: where it cannot tell which key signed, the token is refused.',
    fix: 'Give each key a `kid` of its own.',
  },
  'provider-key-use': {
    severity: 'note',
    about: 'Keys that the gateway cannot use: of an unknown type, curve, use or algorithm.',
    fix: 'Nothing, if tokens are not signed with them.',
  },
  'provider-few-keys': {
    severity: 'note',
    about:
      'The provider publishes one key alone. When it is replaced without an overlap, tokens fail until the new one is fetched.',
    fix: 'Have the next key published ahead of its use, and the last one until its tokens have expired.',
  },
  'provider-algorithms': {
    severity: 'warning',
    about:
      'The provider offers ID tokens without a signature (`none`) or with a shared secret (HMAC); or none of the algorithms that are configured.',
    fix: 'Switch them off at the provider: whatever else trusts it may take them.',
  },
  'provider-pkce': {
    severity: 'warning',
    about:
      'Browsers sign in there, and the provider does not say that it checks PKCE with S256. A stolen authorization code could be used by others.',
    fix: 'Switch PKCE (S256) on at the provider, and require it for this client.',
  },
  'provider-iss-parameter': {
    severity: 'note',
    about:
      'The provider does not name itself in its answers to a login (RFC 9207). Where browsers choose among several providers, one of them could pass off an answer of another: then this is a warning.',
    fix: 'Switch `iss` in authorization responses on at the provider.',
  },
  'provider-client-authentication': {
    severity: 'error',
    about: 'The gateway is to prove itself at the provider in a way that the provider does not offer.',
    fix: 'Choose another `method` for the client, or switch this one on at the provider.',
  },
  'provider-pushed-requests': {
    severity: 'note',
    about:
      'The provider takes no pushed authorization requests (RFC 9126): what a login asks for passes through the browser.',
    fix: 'Switch them on if the provider has them; the gateway then uses them.',
  },
  'provider-backchannel-logout': {
    severity: 'note',
    about:
      'The provider does not tell of logouts. A session here outlives the one there until its tokens are refreshed.',
    fix: 'Switch on back-channel logout for this client, with `/.portcullis/backchannel-logout/NAME` here as its logout address.',
  },
  'provider-clock': {
    severity: 'error',
    about:
      "The provider's clock and this machine's differ by more than `clockSkew`; by more than half of it this is a warning. Fresh tokens are refused as not yet valid, or expired ones live on.",
    fix: 'Set both clocks by NTP.',
  },
  'provider-certificate': {
    severity: 'error',
    about: "The provider's TLS certificate ends within a week; within 30 days this is a warning.",
    fix: 'Have it renewed: once it has ended, no keys can be fetched.',
  },
} as const

export type OnlineCheckId = keyof typeof onlineChecks

/** The same as a list, each with its id: for documentation, and for tools that show what a finding means. */
export const onlineRules: readonly OnlineRule[] = (
  Object.entries(onlineChecks) as [OnlineCheckId, Omit<OnlineRule, 'id'>][]
).map(([id, check]) => ({ id, ...check }))

export interface OnlineRule {
  readonly id: string
  readonly severity: OnlineSeverity
  readonly about: string
  readonly fix: string
}

/** Of the shape of every finding of `check`. */
export interface OnlineFinding {
  readonly id: string
  readonly severity: OnlineSeverity
  /** The key's path in the configuration. */
  readonly path: string
  readonly message: string
  readonly fix: string
}

/** What can be known at this place: the provider's name is put in front of the message. */
export interface Place {
  readonly name: string
  readonly member?: string
}

export function found(
  id: OnlineCheckId,
  { name, member }: Place,
  message: string,
  severity: OnlineSeverity = onlineChecks[id].severity,
): OnlineFinding {
  return {
    id,
    severity,
    path: member === undefined ? `providers.${name}` : `providers.${name}.${member}`,
    message: `"${name}": ${message}`,
    fix: onlineChecks[id].fix,
  }
}

/** Another party's word, shown in our message: one line, bounded, and marked as theirs. */
export function quoted(word: unknown): string {
  if (typeof word !== 'string') return 'no text'
  const shown = word.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll('"', "'")
  return `"${shown.length > 120 ? `${shown.slice(0, 120)}…` : shown}"`
}
