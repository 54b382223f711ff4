/**
 * Judges signed requests. A signature is good for one request, once: what it covers must be what this request is, it must
 * be young, and its nonce new. So nothing is remembered of it but the nonce.
 */
import { createHash, type KeyObject } from 'node:crypto'
import type { Clock } from '../../../ports/clock.ts'
import type { Once } from '../../../ports/once.ts'
import type { RevocationCheck } from '../../../ports/revocations.ts'
import { readContentDigest, type ContentDigests } from '../../content-digest.ts'
import type { Reason } from '../../errors.ts'
import type { Identity } from '../../identity.ts'
import { rejected, type Outcome, type Rejected } from '../../outcome.ts'
import type { GatewayRequest } from '../../request.ts'
import type { Authenticator, Presented } from '../authenticator.ts'
import { isSignedBy } from './algorithms.ts'
import { covers, writtenComponent, type Component } from './component.ts'
import { fingerprintOf, importKey } from './keys.ts'
import { signatureBase } from './message.ts'
import { findSignature, keyIdsIn, type ReadSignature } from './parse.ts'
import {
  signatureIssuer,
  signaturePlace,
  type HttpSignatureSettings,
  type SignatureKeySettings,
} from './settings.ts'

export interface HttpSignatureDependencies {
  readonly clock: Clock
  readonly once: Once
  readonly revocations: RevocationCheck
}

interface Key {
  readonly settings: SignatureKeySettings
  readonly key: KeyObject
  readonly fingerprint: string
  readonly identity: Identity
}

/** Clocks of callers may be this much ahead, in milliseconds. The other way `maxAge` has room. */
const skew = 10_000
/** Longer ones are no nonces, only work. */
const longestNonce = 256
const contentDigest: Component = {
  kind: 'field',
  name: 'content-digest',
  form: { as: 'lines' },
  identifier: '"content-digest"',
}

/** @throws TypeError when a key does not fit its algorithm, or a component is none: validation reports that first */
export function createHttpSignatureAuthenticator(
  settings: HttpSignatureSettings,
  deps: HttpSignatureDependencies,
): Authenticator {
  const keys = new Map(settings.keys.map((each) => [each.id, keyOf(settings, each)]))
  const required = settings.components.map(componentNamed)
  const proven = new WeakMap<GatewayRequest, Outcome>()
  const wanted = { isKnown: (id: string): boolean => keys.has(id), tag: settings.tag }

  function remember(request: GatewayRequest, outcome: Outcome): Outcome {
    if (outcome.outcome === 'verified') proven.set(request, outcome)
    return outcome
  }

  function verify(presented: Presented, request: GatewayRequest): Outcome | Promise<Outcome> {
    const found = findSignature(request.values('signature-input'), request.values('signature'), wanted)
    switch (found.outcome) {
      case 'malformed':
        return rejected('signature_malformed', found.detail)
      case 'foreign':
        return rejected('signature_key_unknown')
      case 'several':
        return rejected('signature_several')
      case 'found':
        return prove(found.signature, presented, request)
    }
  }

  function prove(
    signature: ReadSignature,
    presented: Presented,
    request: GatewayRequest,
  ): Outcome | Promise<Outcome> {
    const key = keys.get(signature.keyId)!
    const faulty = (reason: Reason, detail?: string): Rejected => ({
      ...rejected(reason, detail),
      credentialId: key.settings.id,
    })
    const { algorithm } = key.settings
    if (signature.algorithm !== undefined && signature.algorithm !== algorithm)
      return faulty('signature_algorithm')
    const isCovered = (component: Component): boolean => covers(signature.components, component)
    const missing = required.find((component) => !isCovered(component))
    if (missing !== undefined) return faulty('signature_components', `${missing.identifier} is not covered`)
    const digests = digestsOf(request, isCovered(contentDigest))
    if (digests === 'uncovered') return faulty('signature_components', 'the body is not covered')
    if (digests === undefined) return faulty('signature_digest', 'Content-Digest has nothing to check')
    const { nonce = '' } = signature
    if (nonce === '' || nonce.length > longestNonce) return faulty('signature_nonce')
    const base = signatureBase(signature.components, signature.input, request)
    if (base === undefined)
      return faulty('signature_components', 'the request has no single value for what is covered')
    if (!isSignedBy(algorithm, key.key, base, signature.signature)) return faulty('signature_wrong')
    const fault = faultOfTime(signature) ?? faultOfLife(key)
    if (fault !== undefined) return faulty(fault)
    return rememberNonce(key, signature, nonce, faulty, {
      outcome: 'verified',
      identity: key.identity,
      credential: {
        kind: 'http-signature',
        id: key.settings.id,
        expiresAt: Infinity,
        place: presented.place,
        ...(digests.length === 0 ? {} : { contentDigests: digests }),
      },
    })
  }

  /** Told only once the signature held: before that anybody could have written the times. */
  function faultOfTime({ created, expires }: ReadSignature): Reason | undefined {
    const now = deps.clock.now()
    if (created * 1000 > now + skew) return 'signature_not_yet_valid'
    if (expires !== undefined && now >= expires * 1000) return 'signature_expired'
    return now - created * 1000 > settings.maxAge ? 'signature_stale' : undefined
  }

  /** A key in a file has no time of issue, so a revocation of its owner or of itself holds until it is replaced. */
  function faultOfLife({ settings: { id, owner } }: Key): Reason | undefined {
    const facts = { issuer: signatureIssuer, subject: owner, client: id }
    return deps.revocations.isRevoked(facts) ? 'signature_revoked' : undefined
  }

  /** Last of all: who cannot sign must not be able to use up a nonce, nor our memory. */
  function rememberNonce(
    { fingerprint }: Key,
    { created }: ReadSignature,
    nonce: string,
    faulty: (reason: Reason) => Rejected,
    verified: Outcome,
  ): Outcome | Promise<Outcome> {
    const settle = (answer: 'new' | 'seen'): Outcome =>
      answer === 'new' ? verified : faulty('signature_replayed')
    const failed = (): Outcome => faulty('replay_unavailable')
    try {
      const until = created * 1000 + settings.maxAge + 1000
      const name = createHash('sha256').update(nonce).digest('base64url')
      const answer = deps.once.remember(`http-signature:${fingerprint}:${name}`, until)
      return answer instanceof Promise ? answer.then(settle, failed) : settle(answer)
    } catch {
      return failed()
    }
  }

  return {
    name: settings.name,
    type: 'http-signature',
    places: [signaturePlace],
    challenges: [{ scheme: 'Signature' }],
    takes: ({ value }) => (keyIdsIn(inputOf(value)).some((id) => keys.has(id)) ? 'yes' : 'maybe'),
    // It proves one request. Asked again about that one (a report-only rule does), the answer is the same.
    recall: (_presented, request) => proven.get(request),
    verify(presented, request) {
      const outcome = verify(presented, request)
      if (!(outcome instanceof Promise)) return remember(request, outcome)
      return outcome.then((settled) => remember(request, settled))
    },
    // Of an open stream only the key can change; to ask for the signature again would find its nonce used.
    stands(proven) {
      const key = keys.get(proven.credential.id ?? '')
      const fault = key === undefined ? 'signature_key_unknown' : faultOfLife(key)
      return fault === undefined ? proven : rejected(fault)
    },
  }
}

/** What was presented is both fields, a line each. */
function inputOf(value: string): string {
  return value.slice(0, value.indexOf('\n'))
}

/** A signature that covers the digest speaks of the content even where there is none: a body may have been taken away. */
function digestsOf(request: GatewayRequest, isCovered: boolean): ContentDigests | 'uncovered' | undefined {
  if (isCovered) return readContentDigest(request.values('content-digest'))
  return request.hasBody ? 'uncovered' : []
}

function keyOf(settings: HttpSignatureSettings, own: SignatureKeySettings): Key {
  const key = importKey(own.algorithm, own.key.reveal())
  return {
    settings: own,
    key,
    fingerprint: fingerprintOf(key),
    identity: Object.freeze({
      issuer: signatureIssuer,
      subject: own.owner,
      client: own.id,
      ...(own.tenant === undefined ? {} : { tenant: own.tenant }),
      scopes: own.scopes,
      roles: own.roles,
      claims: Object.freeze({}),
      method: settings.name,
      amr: Object.freeze(['http-signature']),
    }),
  }
}

function componentNamed(text: string): Component {
  const component = writtenComponent(text)
  if (component === undefined) throw new TypeError(`${text} is no component of a request`)
  return component
}
