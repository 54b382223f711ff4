/** The client that the gateway is at a provider: as it is written, what of that cannot work, and as it is used. */
import type { Secret } from '../secret.ts'

/** How the gateway proves that it is this client. */
export type ClientMethod = 'secret' | 'private_key_jwt' | 'mtls'

/** As it was written, defaults applied. */
export interface ParsedClient {
  readonly id: string
  readonly secret?: Secret | readonly Secret[]
  readonly method: ClientMethod
  readonly key?: string
  readonly certificate?: string
  readonly keyId?: string
  readonly proofAudience?: string
}

export interface ClientSettings {
  readonly id: string
  readonly method: ClientMethod
  /** Newest first; more than one while it is rotated. Empty where another method is used. */
  readonly secrets: readonly Secret[]
  /** Absolute path of the private key (PEM). */
  readonly key?: string
  /** Absolute path of the certificate (PEM). */
  readonly certificate?: string
  /** `kid` of signed proofs. */
  readonly keyId?: string
  /** `aud` of signed proofs; the issuer where it is absent. */
  readonly proofAudience?: string
}

export interface ClientFault {
  /** The member of `client` that is at fault. */
  readonly member: keyof ParsedClient
  readonly message: string
  readonly expected: string
}

/** @param resolve makes a path absolute */
export function compileClient(parsed: ParsedClient, resolve: (path: string) => string): ClientSettings {
  const { id, method, secret, key, certificate, keyId, proofAudience } = parsed
  return {
    id,
    method,
    secrets: secret === undefined ? [] : isList(secret) ? secret : [secret],
    ...(key === undefined ? {} : { key: resolve(key) }),
    ...(certificate === undefined ? {} : { certificate: resolve(certificate) }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(proofAudience === undefined ? {} : { proofAudience }),
  }
}

/** What each method needs, and what it has no use for: a secret beside a key is a secret that somebody forgot to withdraw. */
export function clientFaults(parsed: ParsedClient): readonly ClientFault[] {
  const { method } = parsed
  return [...missing(parsed), ...useless(parsed)].map(({ member, ...words }) => ({
    member,
    message: words.message.replace('{method}', method),
    expected: words.expected,
  }))
}

/** Files whose content counts as part of the settings. */
export function clientFiles({ key, certificate }: ClientSettings): readonly string[] {
  return [key, certificate].filter((each) => each !== undefined)
}

function* missing({ method, secret, key, certificate }: ParsedClient): Generator<ClientFault> {
  if (method === 'secret' && (secret === undefined || (isList(secret) && secret.length === 0))) {
    yield {
      member: 'secret',
      message: 'the gateway has nothing to prove with that it is this client',
      expected:
        '`secret`, or `method: private_key_jwt` with `key`, or `method: mtls` with `key` and `certificate`',
    }
  }
  if (method !== 'secret' && key === undefined) {
    yield {
      member: 'key',
      message: '`method: {method}` needs a private key',
      expected: 'the path of a PEM file: -----BEGIN PRIVATE KEY-----',
    }
  }
  if (method === 'mtls' && certificate === undefined) {
    yield {
      member: 'certificate',
      message: '`method: mtls` needs a certificate',
      expected: 'the path of a PEM file: -----BEGIN CERTIFICATE-----',
    }
  }
}

function* useless(parsed: ParsedClient): Generator<ClientFault> {
  const useful: Readonly<Record<ClientMethod, readonly (keyof ParsedClient)[]>> = {
    secret: ['secret'],
    private_key_jwt: ['key', 'certificate', 'keyId', 'proofAudience'],
    mtls: ['key', 'certificate'],
  }
  for (const member of ['secret', 'key', 'certificate', 'keyId', 'proofAudience'] as const) {
    if (parsed[member] === undefined || useful[parsed.method].includes(member)) continue
    yield {
      member,
      message: `\`${member}\` is not used with \`method: {method}\``,
      expected: 'this key left out, or another `method`',
    }
  }
}

function isList(secret: Secret | readonly Secret[]): secret is readonly Secret[] {
  return Array.isArray(secret)
}
