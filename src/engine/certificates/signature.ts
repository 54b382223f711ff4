/** Which signatures hold: an allow-list, since MD5 and SHA-1 signatures can be forged. */
import { constants, verify } from 'node:crypto'
import type { Signed } from './certificate.ts'
import { DerFault, DerFields, derTags, explicit, readDer, type Der } from './der.ts'
import { readCount, readOid } from './der-values.ts'
import { oids } from './oids.ts'
import { readPublicKey, type KeyKind } from './public-key.ts'

interface Algorithm {
  readonly hash: string | null
  readonly keys: readonly KeyKind[]
  /** PSS only. */
  readonly saltLength?: number
}

const rsa: Readonly<Record<string, string>> = {
  [oids.sha256WithRsa]: 'sha256',
  [oids.sha384WithRsa]: 'sha384',
  [oids.sha512WithRsa]: 'sha512',
}
const ecdsa: Readonly<Record<string, string>> = {
  [oids.ecdsaWithSha256]: 'sha256',
  [oids.ecdsaWithSha384]: 'sha384',
  [oids.ecdsaWithSha512]: 'sha512',
}
const hashes: Readonly<Record<string, { readonly name: string; readonly length: number }>> = {
  [oids.sha256]: { name: 'sha256', length: 32 },
  [oids.sha384]: { name: 'sha384', length: 48 },
  [oids.sha512]: { name: 'sha512', length: 64 },
}

/** @returns undefined when the signature is good, else in words why not */
export function signatureFault(signed: Signed, signerSpki: Buffer): string | undefined {
  const signer = readPublicKey(signerSpki)
  if (typeof signer === 'string') return signer
  try {
    const algorithm = readAlgorithm(readDer(signed.algorithm))
    if (!algorithm.keys.includes(signer.kind)) return 'a signature algorithm that is not of the key'
    const isGood = verify(
      algorithm.hash,
      signed.tbs,
      algorithm.saltLength === undefined
        ? signer.key
        : { key: signer.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength },
      signed.signature,
    )
    return isGood ? undefined : 'a signature that is wrong'
  } catch (error) {
    return error instanceof DerFault ? error.message : 'a signature that cannot be checked'
  }
}

/** @returns whether the algorithm is one that may sign, whoever signs */
export function isAcceptedAlgorithm(algorithm: Buffer): boolean {
  try {
    readAlgorithm(readDer(algorithm))
    return true
  } catch {
    return false
  }
}

function readAlgorithm(element: Der): Algorithm {
  const fields = new DerFields(element)
  const oid = readOid(fields.next())
  const pkcs1 = rsa[oid]
  if (pkcs1 !== undefined) {
    // RFC 4055 section 5: NULL, and absent is taken too.
    fields.optional(derTags.null)
    fields.end()
    return { hash: pkcs1, keys: ['rsa'] }
  }
  if (oid === oids.rsaPss) {
    const algorithm = readPss(fields.next(derTags.sequence))
    fields.end()
    return algorithm
  }
  fields.end()
  const curve = ecdsa[oid]
  if (curve !== undefined) return { hash: curve, keys: ['ec'] }
  if (oid === oids.ed25519) return { hash: null, keys: ['ed25519'] }
  throw new DerFault('a signature algorithm that is not accepted')
}

/** @see RFC 4055 section 3.1: all defaults there mean SHA-1, so each member must be written */
function readPss(element: Der): Algorithm {
  const fields = new DerFields(element)
  const hash = hashOf(explicit(fields.next(0xa0)))
  const mask = new DerFields(explicit(fields.next(0xa1)))
  if (readOid(mask.next()) !== oids.mgf1) throw new DerFault('a mask that is not MGF1')
  const maskHash = hashOf(mask.next())
  mask.end()
  const salt = readCount(explicit(fields.next(0xa2)))
  const trailer = fields.optional(0xa3)
  fields.end()
  if (trailer !== undefined && readCount(explicit(trailer)) !== 1) throw new DerFault('an unknown trailer')
  if (maskHash.name !== hash.name || salt !== hash.length) throw new DerFault('uncommon PSS parameters')
  return { hash: hash.name, keys: ['rsa', 'rsa-pss'], saltLength: salt }
}

function hashOf(element: Der): { readonly name: string; readonly length: number } {
  const fields = new DerFields(element)
  const hash = hashes[readOid(fields.next())]
  fields.optional(derTags.null)
  fields.end()
  if (hash === undefined) throw new DerFault('a hash that is not accepted')
  return hash
}
