/** How a client proves that it is itself, in the words of a request: basic, post, a signed statement, or the connection. */
import {
  createHash,
  createPrivateKey,
  randomUUID,
  sign,
  constants,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import type { ClientSettings } from '../engine/providers/client-settings.ts'
import type { Secret } from '../engine/secret.ts'

/** What goes into a request. `authorization` is a header field's value. */
export interface ClientProof {
  readonly authorization?: string
  readonly members: Readonly<Record<string, string>>
}

/** How the two halves of a basic proof are written. */
export type BasicForm = 'encoded' | 'raw'

/**
 * The id and the secret are form-encoded before they are joined, so that a colon or a non-ASCII character in them stays one.
 * Not every provider decodes them: to those they go `raw`.
 * @see RFC 6749 section 2.3.1
 */
export function basicProof(id: string, secret: Secret, form: BasicForm): ClientProof {
  const write = form === 'encoded' ? formEncode : (text: string): string => text
  const pair = `${write(id)}:${write(secret.reveal())}`
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}`, members: {} }
}

/** @returns the forms to try, that one first; one where both are the same, or the raw one could be read in two ways */
export function basicForms(id: string, secret: Secret, first: BasicForm): readonly BasicForm[] {
  const text = secret.reveal()
  const isSame = formEncode(id) === id && formEncode(text) === text
  if (isSame || id.includes(':')) return ['encoded']
  return first === 'encoded' ? ['encoded', 'raw'] : ['raw', 'encoded']
}

export function postProof(id: string, secret: Secret): ClientProof {
  return { members: { client_id: id, client_secret: secret.reveal() } }
}

/** The certificate of the connection is the proof; the id says whose it should be. @see RFC 8705 section 2 */
export function certificateProof(id: string): ClientProof {
  return { members: { client_id: id } }
}

/**
 * Basic unless the provider says that it takes only the other form.
 * @see RFC 8414 section 2: silence means basic
 */
export function choosesPost(supported: readonly string[] | undefined): boolean {
  return (
    supported !== undefined &&
    !supported.includes('client_secret_basic') &&
    supported.includes('client_secret_post')
  )
}

export interface ProofKey {
  readonly key: KeyObject
  readonly alg: string
  readonly header: Readonly<Record<string, string>>
}

/**
 * @param pem the private key, and the certificate where the provider knows the key by it
 * @param supported the algorithms that the provider takes; undefined: not told
 * @throws TypeError when the key can make no such signature; the message tells nothing of the key
 */
export function proofKey(
  { key: keyPem, certificate: certificatePem }: { readonly key: string; readonly certificate?: string },
  { keyId }: Pick<ClientSettings, 'keyId'>,
  supported: readonly string[] | undefined,
): ProofKey {
  const key = readKey(keyPem)
  const able = algorithmsOf(key)
  const alg = able.find((each) => supported?.includes(each) === true) ?? able[0]
  if (alg === undefined) throw new TypeError('the private key is of no kind that signs proofs')
  const der = certificatePem === undefined ? undefined : new X509Certificate(certificatePem).raw
  return {
    key,
    alg,
    header: {
      ...(keyId === undefined ? {} : { kid: keyId }),
      // Entra finds the key by its certificate.
      ...(der === undefined ? {} : { x5t: digest('sha1', der), 'x5t#S256': digest('sha256', der) }),
    },
  }
}

/** Seconds: long enough for a slow connection and a clock that is a little off, too short to be worth stealing. */
const proofLifetime = 60

/**
 * A statement signed with the client's key. `aud` is the issuer and not the endpoint: a provider that lies about its
 * endpoints must not collect statements that are good at another.
 * @param now milliseconds since the epoch
 * @see RFC 7523 section 3, RFC 7521 section 4.2
 */
export function signedProof(
  id: string,
  audience: string,
  { key, alg, header }: ProofKey,
  now: number,
): ClientProof {
  const iat = Math.floor(now / 1000)
  const claims = { iss: id, sub: id, aud: audience, jti: randomUUID(), iat, exp: iat + proofLifetime }
  const input = `${encode({ alg, typ: 'JWT', ...header })}.${encode(claims)}`
  return {
    members: {
      client_id: id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${input}.${signature(input, key, alg)}`,
    },
  }
}

function formEncode(text: string): string {
  return new URLSearchParams({ _: text }).toString().slice(2)
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new TypeError('the private key cannot be read')
  }
}

/** By the kind of key, in order of preference: the first that the provider takes, else the first. */
const algorithmsByKind: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'PS256'],
  'rsa-pss': ['PS256'],
  ed25519: ['EdDSA', 'Ed25519'],
  'ec prime256v1': ['ES256'],
  'ec secp384r1': ['ES384'],
  'ec secp521r1': ['ES512'],
}

function algorithmsOf({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): readonly string[] {
  const kind = type === 'ec' ? `ec ${details?.namedCurve}` : (type ?? '')
  return algorithmsByKind[kind] ?? []
}

function signature(input: string, key: KeyObject, alg: string): string {
  const bytes = Buffer.from(input)
  if (alg === 'EdDSA' || alg === 'Ed25519') return sign(null, bytes, key).toString('base64url')
  const hash = `sha${alg.slice(2)}`
  const options = alg.startsWith('ES')
    ? ({ key, dsaEncoding: 'ieee-p1363' } as const)
    : alg.startsWith('PS')
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { key, padding: constants.RSA_PKCS1_PADDING }
  return sign(hash, bytes, options).toString('base64url')
}

function digest(name: string, bytes: Buffer): string {
  return createHash(name).update(bytes).digest('base64url')
}

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
