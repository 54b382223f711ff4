/** How an `http-signature` authenticator is written. */
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import type { z } from 'zod'
import type { Secret } from '../../secret.ts'
import type { Vocabulary } from '../vocabulary.ts'
import { algorithms, type SignatureAlgorithm } from './algorithms.ts'
import { writtenComponent } from './component.ts'
import { keyFault } from './keys.ts'

export interface ParsedHttpSignature {
  readonly type: 'http-signature'
  readonly keys: readonly ParsedKey[]
  readonly components: readonly string[]
  readonly maxAge: number
  readonly tag?: string
}

export interface ParsedKey {
  readonly id: string
  readonly algorithm: SignatureAlgorithm
  readonly key: Secret
  readonly owner: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly tenant?: string
}

const componentText =
  'a component of requests, such as `@method`, `@target-uri`, `content-type` or `@query-param;name="id"`'

export function httpSignatureSchema(words: Vocabulary): z.ZodObject {
  const { z, text, list, positiveDuration } = words
  const component = z
    .string({ error: componentText })
    .refine((written) => writtenComponent(written) !== undefined, { error: componentText })
  return z.strictObject({
    type: z.literal('http-signature').describe('Signed requests (RFC 9421).'),
    keys: list(keySchema(words), 'a list of keys').describe('The keys of callers.'),
    components: list(component, 'a list of components')
      .prefault(['@method', '@target-uri'])
      .describe(
        'What every signature must cover. With a body it must cover `content-digest` too, listed or not.',
      ),
    maxAge: positiveDuration.prefault('60s').describe('How old a signature may be.'),
    tag: text
      .exactOptional()
      .describe('Only signatures with this `tag` count; any, where absent. Others stay unread.'),
  })
}

function keySchema({ z, text, secret }: Vocabulary): z.ZodType {
  const key = z.strictObject({
    id: text.describe('The key id, which the caller names as `keyid`; also the client of the identity.'),
    algorithm: z.enum(algorithms).describe('The one algorithm that this key signs with.'),
    key: secret().describe(
      'The public key or certificate (PEM), best given as `${file:PATH}`; for `hmac-sha256` the shared secret, at least 32 bytes.',
    ),
    owner: text.describe('Whom it identifies: the subject.'),
    scopes: z.array(text).prefault([]).describe('What it may do.'),
    roles: z.array(text).prefault([]).describe('The roles of the owner.'),
    tenant: text.exactOptional().describe('The tenant of the owner.'),
  })
  return key.superRefine((written, context) => {
    const { algorithm, key: secretOrKey } = written as ParsedKey
    const fault = keyFault(algorithm, secretOrKey.reveal())
    if (fault === undefined) return
    context.issues.push({
      code: 'custom',
      path: ['key'],
      message: expectedFor(algorithm),
      // The text itself stays out of every message: it may be a secret.
      input: undefined,
      params: { why: `the key ${fault}` },
      // What could stand in for it where no production secret is needed.
      values: [sampleKey(algorithm)],
    })
  })
}

function expectedFor(algorithm: SignatureAlgorithm): string {
  return algorithm === 'hmac-sha256'
    ? 'at least 32 random bytes, known only to the caller and the gateway'
    : 'the public key in PEM form, best given as ${file:PATH}'
}

/** A key of this kind that nobody can sign with: its private half is never kept. */
function sampleKey(algorithm: SignatureAlgorithm): string {
  switch (algorithm) {
    case 'rsa-pss-sha512':
    case 'rsa-v1_5-sha256':
      return pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))
    case 'ecdsa-p256-sha256':
      return pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    case 'ecdsa-p384-sha384':
      return pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }))
    case 'ed25519':
      return pem(generateKeyPairSync('ed25519'))
    case 'hmac-sha256':
      return randomBytes(32).toString('hex')
  }
}

function pem({ publicKey }: { readonly publicKey: KeyObject }): string {
  return publicKey.export({ type: 'spki', format: 'pem' })
}
