// What the gateway said about the caller, and whether it really was the gateway that said it.
import type { IncomingHttpHeaders } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'

/** The identity as the `X-Auth-*` fields tell it. Anybody who reaches this port could have written them. */
export interface HandedIdentity {
  readonly subject?: string
  readonly issuer?: string
  readonly client?: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly tenant?: string
  readonly method?: string
}

/** What every answer of the service shows about its request. */
export interface Caller {
  readonly identity: HandedIdentity
  /** `verified`, `absent`, or `invalid: ` and the reason. */
  readonly assertion: string
  /** Whether a credential of the client reached this service, which the gateway should have kept. */
  readonly credentialSeen: boolean
}

/** A caller and, where the gateway's signature holds, the claims that it signed: the only ones to act on. */
export interface ExaminedCaller {
  readonly caller: Caller
  readonly proven?: JWTPayload
}

/** How assertions are checked. */
export interface AssertionCheck {
  /** The gateway's `/.portcullis/jwks.json`; a function if the address is known only later. */
  readonly keySet: string | (() => string) | undefined
  /** The upstream's name in the gateway's configuration. */
  readonly audience: string
  /** The gateway's first public URL, if it has one. */
  readonly issuer: string | undefined
}

/** Makes the function that looks at each request's fields. Key sets are fetched when they are first needed. */
export function createExaminer(
  check: AssertionCheck,
): (headers: IncomingHttpHeaders) => Promise<ExaminedCaller> {
  const keyFor = keySetOf(check)
  return async (headers) => {
    const identity = readIdentity(headers)
    const credentialSeen = hasCredential(headers)
    const token = single(headers, 'x-portcullis-assertion')
    if (token === undefined) return { caller: { identity, assertion: 'absent', credentialSeen } }
    const result = await verify(check, keyFor, token, identity)
    if (typeof result === 'string') {
      return { caller: { identity, assertion: `invalid: ${result}`, credentialSeen } }
    }
    return { caller: { identity, assertion: 'verified', credentialSeen }, proven: result }
  }
}

async function verify(
  check: AssertionCheck,
  keyFor: () => JWTVerifyGetKey | undefined,
  token: string,
  identity: HandedIdentity,
): Promise<JWTPayload | string> {
  try {
    const key = keyFor()
    if (key === undefined) return 'this service was given no key set to check it with'
    const { payload } = await jwtVerify(token, key, {
      typ: 'portcullis+jwt',
      algorithms: ['EdDSA', 'Ed25519'],
      audience: check.audience,
      requiredClaims: ['exp', 'sub'],
      ...(check.issuer === undefined ? {} : { issuer: check.issuer }),
    })
    if (identity.subject !== undefined && identity.subject !== payload.sub) {
      return 'it speaks of another subject than X-Auth-Subject'
    }
    return payload
  } catch (error) {
    return explain(error)
  }
}

// jose's codes are a closed set; its messages and those of a failed fetch are not for a stranger's eyes.
const reasons: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'expired',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'a claim is not as expected',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'the signature does not hold',
  ERR_JWS_INVALID: 'not a signed token',
  ERR_JWT_INVALID: 'not a signed token',
  ERR_JWKS_NO_MATCHING_KEY: 'signed with an unknown key',
  ERR_JOSE_ALG_NOT_ALLOWED: 'signed with another algorithm',
}

function explain(error: unknown): string {
  const { code, claim } = error as { code?: string; claim?: string }
  const reason = reasons[code ?? ''] ?? 'the key set cannot be had'
  return code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' ? `${reason} (${claim})` : reason
}

function keySetOf({ keySet }: AssertionCheck): () => JWTVerifyGetKey | undefined {
  let url: string | undefined
  let key: JWTVerifyGetKey | undefined
  return () => {
    const wanted = typeof keySet === 'function' ? keySet() : keySet
    if (wanted === undefined) return undefined
    if (key === undefined || wanted !== url) {
      // A short cool-down, so that a rotated key is found at once even when this service has just fetched.
      key = createRemoteJWKSet(new URL(wanted), { cooldownDuration: 1000, timeoutDuration: 2000 })
      url = wanted
    }
    return key
  }
}

function readIdentity(headers: IncomingHttpHeaders): HandedIdentity {
  const text = (name: string): string | undefined => decode(single(headers, name))
  const list = (name: string, separator: string): string[] =>
    (single(headers, name) ?? '')
      .split(separator)
      .map((part) => decode(part.trim()) ?? '')
      .filter((part) => part !== '')
  return Object.fromEntries(
    Object.entries({
      subject: text('x-auth-subject'),
      issuer: text('x-auth-issuer'),
      client: text('x-auth-client'),
      scopes: list('x-auth-scopes', ' '),
      roles: list('x-auth-roles', ','),
      tenant: text('x-auth-tenant'),
      method: text('x-auth-method'),
    }).filter(([, value]) => value !== undefined),
  ) as unknown as HandedIdentity
}

// The gateway percent-encodes what is not visible ASCII; a value that is not such an encoding is shown as it came.
function decode(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function hasCredential(headers: IncomingHttpHeaders): boolean {
  const carriesSession = /(?:^|;\s*)(?:__Host-)?portcullis(?:-login-[^=]*)?=/.test(headers.cookie ?? '')
  return (
    carriesSession ||
    ['authorization', 'proxy-authorization', 'x-api-key', 'dpop'].some((name) => headers[name] !== undefined)
  )
}

function single(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(',') : value
}
