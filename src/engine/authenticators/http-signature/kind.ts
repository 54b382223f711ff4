import { defineKind, type AuthenticatorFault, type AuthenticatorKind, type CheckFacts } from '../kind.ts'
import { createHttpSignatureAuthenticator } from './authenticator.ts'
import { httpSignatureSchema, type ParsedHttpSignature } from './schema.ts'
import { signatureIssuer, signaturePlaces, type HttpSignatureSettings } from './settings.ts'

/** Requests that callers sign, each one anew. */
export const httpSignature: AuthenticatorKind = defineKind<ParsedHttpSignature, HttpSignatureSettings>({
  type: 'http-signature',
  schema: httpSignatureSchema,
  compile: (name, parsed) => ({ ...parsed, name, in: signaturePlaces, issuer: signatureIssuer }),
  check: checkKeyIds,
  competes: (one, other) =>
    (one.tag === undefined || other.tag === undefined || one.tag === other.tag) &&
    one.keys.some(({ id }) => other.keys.some((each) => each.id === id)),
  apart: 'other key ids, two tags, or one of the two on this route',
  weaknesses: [
    {
      id: 'signature-shared-secret',
      severity: 'note',
      about:
        'A caller signs with a secret that the gateway knows too (`hmac-sha256`): whoever reads it here can sign there.',
      fix: 'Let callers keep a private key, and give the gateway the public one (`ed25519`).',
      *find({ keys }) {
        for (const [index, { id, algorithm }] of keys.entries()) {
          if (algorithm !== 'hmac-sha256') continue
          yield { member: `keys[${index}].algorithm`, message: `"${id}" signs with a shared secret` }
        }
      },
    },
    {
      id: 'signature-covers-little',
      severity: 'warning',
      about: 'Signatures need not cover the method and the target: one request may be turned into another.',
      fix: 'Name `@method` and `@target-uri` among the `components`, or leave `components` out.',
      *find({ components }) {
        for (const missing of uncovered(components)) {
          yield { member: 'components', message: `signatures need not cover ${missing}` }
        }
      },
    },
  ],
  create: createHttpSignatureAuthenticator,
})

/** Two keys under one name would leave it to the order of a list which of them is asked. */
function* checkKeyIds(
  _name: string,
  { keys }: ParsedHttpSignature,
  { path }: CheckFacts,
): Generator<AuthenticatorFault> {
  const seen = new Set<string>()
  for (const [index, { id }] of keys.entries()) {
    if (seen.has(id)) {
      yield {
        path: [...path, 'keys', index, 'id'],
        message: 'another key has this id',
        expected: 'each id once; a rotated key gets a new one',
      }
    }
    seen.add(id)
  }
}

/** The parts that make a request another one, in the forms in which each may be covered. */
const essential: readonly (readonly [string, readonly (readonly string[])[]])[] = [
  ['the method', [['@method']]],
  [
    'the target',
    [
      ['@target-uri'],
      ['@authority', '@request-target'],
      ['@authority', '@path', '@query'],
      ['host', '@request-target'],
      ['host', '@path', '@query'],
    ],
  ],
]

function* uncovered(components: readonly string[]): Generator<string> {
  for (const [part, forms] of essential) {
    if (!forms.some((form) => form.every((each) => components.includes(each)))) yield part
  }
}
