/** Which public keys may sign or be proven: none that can be broken, none of an odd form. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { DerFault, DerFields, derTags, readDer } from './der.ts'
import { readBitBytes, readOid } from './der-values.ts'
import { oids } from './oids.ts'

export type KeyKind = 'rsa' | 'rsa-pss' | 'ec' | 'ed25519'

export interface PublicKey {
  readonly kind: KeyKind
  readonly key: KeyObject
}

const curves: ReadonlySet<string> = new Set([oids.p256, oids.p384, oids.p521])
/** Shorter ones can be factored in reach; longer ones only cost time. */
const shortestModulus = 2048
const longestModulus = 8192

/** @param spki - SubjectPublicKeyInfo, DER. @returns the key, or in words why it counts for nothing */
export function readPublicKey(spki: Buffer): PublicKey | string {
  try {
    const kind = kindOf(spki)
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    if (kind === 'rsa' || kind === 'rsa-pss') {
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
      if (bits < shortestModulus || bits > longestModulus) return `an RSA key of ${bits} bits`
      const exponent = key.asymmetricKeyDetails?.publicExponent ?? 0n
      if (exponent < 3n || exponent % 2n === 0n) return 'an RSA key with an odd exponent'
    }
    return { kind, key }
  } catch (error) {
    return error instanceof DerFault ? error.message : 'a key that cannot be read'
  }
}

/** The bits of the key alone, without its algorithm: what OCSP names issuers by. */
export function keyBits(spki: Buffer): Buffer {
  const fields = new DerFields(readDer(spki))
  fields.next()
  return readBitBytes(fields.next())
}

function kindOf(spki: Buffer): KeyKind {
  const fields = new DerFields(readDer(spki))
  const algorithm = new DerFields(fields.next())
  readBitBytes(fields.next())
  fields.end()
  const oid = readOid(algorithm.next())
  switch (oid) {
    case oids.rsaEncryption:
      algorithm.next(derTags.null)
      algorithm.end()
      return 'rsa'
    case oids.rsaPss:
      return 'rsa-pss'
    case oids.ecPublicKey: {
      // A curve spelled out in parameters may be one on which the signer knows a shortcut (CVE-2020-0601).
      const curve = readOid(algorithm.next(derTags.oid))
      algorithm.end()
      if (!curves.has(curve)) throw new DerFault('a curve that is not accepted')
      return 'ec'
    }
    case oids.ed25519:
      algorithm.end()
      return 'ed25519'
    default:
      throw new DerFault('a kind of key that is not accepted')
  }
}
