/** A certificate authority for tests, that can also make what no sane one would: every field is to be had wrong. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { der, derNull, derOctets, derOid, derSequence } from '../../src/engine/certificates/der-write.ts'

export interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface Made {
  readonly der: Buffer
  readonly pem: string
  readonly keys: KeyPair
  readonly keyPem: string
  readonly subject: Name
  readonly serial: Buffer
}

/** A name as its DER, or a common name. */
export type Name = string | Buffer

export interface Wish {
  readonly subject: Name
  /** Undefined: signs itself. */
  readonly issuer?: Made
  /** In place of the issuer's subject. */
  readonly issuerName?: Name
  readonly keys?: KeyPair
  readonly serial?: Buffer
  readonly notBefore?: number
  readonly notAfter?: number
  /** DER of each extension; `extension()` makes them. */
  readonly extensions?: readonly Buffer[]
  readonly version?: 1 | 2 | 3
  readonly signWith?: { readonly algorithm: Buffer; readonly hash: string | null }
  /** Changes the bytes that are signed. */
  readonly mangle?: (tbs: Buffer) => Buffer
}

export const algorithms: Readonly<
  Record<'ecdsaSha256' | 'ecdsaSha384' | 'ecdsaSha1' | 'rsaSha256' | 'rsaSha1' | 'rsaMd5' | 'ed25519', Buffer>
> = {
  ecdsaSha256: derSequence(derOid('1.2.840.10045.4.3.2')),
  ecdsaSha384: derSequence(derOid('1.2.840.10045.4.3.3')),
  ecdsaSha1: derSequence(derOid('1.2.840.10045.4.1')),
  rsaSha256: derSequence(derOid('1.2.840.113549.1.1.11'), derNull),
  rsaSha1: derSequence(derOid('1.2.840.113549.1.1.5'), derNull),
  rsaMd5: derSequence(derOid('1.2.840.113549.1.1.4'), derNull),
  ed25519: derSequence(derOid('1.3.101.112')),
}

const hour = 3_600_000
const trueFlag = Buffer.from([0x01, 0x01, 0xff])

export function ecKeys(namedCurve = 'P-256'): KeyPair {
  return generateKeyPairSync('ec', { namedCurve })
}

export function issue(wish: Wish): Made {
  const keys = wish.keys ?? ecKeys()
  const signer = wish.issuer?.keys ?? keys
  const serial = wish.serial ?? Buffer.concat([Buffer.from([1]), randomBytes(8)])
  const { algorithm, hash } = wish.signWith ?? usualAlgorithm(signer)
  const { version = 3, extensions = [] } = wish
  let tbs = derSequence(
    ...(version === 1 ? [] : [der(0xa0, derInteger(version - 1))]),
    der(0x02, serial),
    algorithm,
    nameDer(wish.issuerName ?? wish.issuer?.subject ?? wish.subject),
    derSequence(time(wish.notBefore ?? Date.now() - hour), time(wish.notAfter ?? Date.now() + 24 * hour)),
    nameDer(wish.subject),
    keys.publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, derSequence(...extensions))]),
  )
  if (wish.mangle !== undefined) tbs = wish.mangle(tbs)
  const bytes = signed(tbs, algorithm, hash, signer)
  return {
    der: bytes,
    pem: toPem(bytes, 'CERTIFICATE'),
    keys,
    keyPem: keys.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    subject: wish.subject,
    serial,
  }
}

/** An authority with the extensions that it should have; `more` come behind, or replace one of the same kind. */
export function issueAuthority(wish: Wish & { readonly pathLength?: number }): Made {
  const own = [
    extension(
      '2.5.29.19',
      derSequence(trueFlag, ...(wish.pathLength === undefined ? [] : [derInteger(wish.pathLength)])),
      true,
    ),
    keyUsage(5, 6),
  ]
  return issue({ ...wish, extensions: merged(own, wish.extensions) })
}

/** A client's certificate with the extensions that it should have. */
export function issueClient(wish: Wish & { readonly names?: readonly Buffer[] }): Made {
  const own = [
    keyUsage(0),
    extendedKeyUsage('1.3.6.1.5.5.7.3.2'),
    ...(wish.names === undefined || wish.names.length === 0
      ? []
      : [extension('2.5.29.17', derSequence(...wish.names))]),
  ]
  return issue({ ...wish, extensions: merged(own, wish.extensions) })
}

export const san = {
  email: (value: string): Buffer => der(0x81, Buffer.from(value, 'latin1')),
  dns: (value: string): Buffer => der(0x82, Buffer.from(value, 'latin1')),
  uri: (value: string): Buffer => der(0x86, Buffer.from(value, 'latin1')),
  ip: (...bytes: readonly number[]): Buffer => der(0x87, Buffer.from(bytes)),
  directory: (name: Name): Buffer => der(0xa4, nameDer(name)),
  other: (): Buffer => der(0xa0, derOid('1.3.6.1.4.1.1'), der(0xa0, der(0x0c, Buffer.from('x')))),
}

export function extension(oid: string, value: Buffer, isCritical = false): Buffer {
  return derSequence(derOid(oid), ...(isCritical ? [trueFlag] : []), derOctets(value))
}

export function keyUsage(...bits: readonly number[]): Buffer {
  const value = bits.reduce((all, bit) => all | (0x8000 >> bit), 0)
  return extension('2.5.29.15', der(0x03, Buffer.from([0, value >> 8, value & 0xff])), true)
}

export function extendedKeyUsage(...purposes: readonly string[]): Buffer {
  return extension('2.5.29.37', derSequence(...purposes.map(derOid)))
}

export function nameConstraints(permitted: readonly Buffer[], excluded: readonly Buffer[] = []): Buffer {
  const list = (tag: number, names: readonly Buffer[]): Buffer[] =>
    names.length === 0 ? [] : [der(tag, ...names.map((name) => derSequence(name)))]
  return extension('2.5.29.30', derSequence(...list(0xa0, permitted), ...list(0xa1, excluded)), true)
}

export interface ListWish {
  readonly issuer: Made
  readonly revoked?: readonly (Made | Buffer)[]
  /** In place of the issuer's own key. */
  readonly keys?: KeyPair
  readonly thisUpdate?: number
  /** `null` leaves it out. */
  readonly nextUpdate?: number | null
  readonly extensions?: readonly Buffer[]
  readonly entryExtensions?: readonly Buffer[]
  readonly number?: number
}

export function issueList(wish: ListWish): { readonly der: Buffer; readonly pem: string } {
  const signer = wish.keys ?? wish.issuer.keys
  const { algorithm, hash } = usualAlgorithm(signer)
  const { revoked = [], entryExtensions = [], extensions = [], nextUpdate = Date.now() + 24 * hour } = wish
  const entries = revoked.map((each) =>
    derSequence(
      der(0x02, Buffer.isBuffer(each) ? each : each.serial),
      time(Date.now() - hour),
      ...(entryExtensions.length === 0 ? [] : [derSequence(...entryExtensions)]),
    ),
  )
  const all = [
    ...(wish.number === undefined ? [] : [extension('2.5.29.20', derInteger(wish.number))]),
    ...extensions,
  ]
  const tbs = derSequence(
    derInteger(1),
    algorithm,
    nameDer(wish.issuer.subject),
    time(wish.thisUpdate ?? Date.now() - hour),
    ...(nextUpdate === null ? [] : [time(nextUpdate)]),
    ...(entries.length === 0 ? [] : [derSequence(...entries)]),
    ...(all.length === 0 ? [] : [der(0xa0, derSequence(...all))]),
  )
  const bytes = signed(tbs, algorithm, hash, signer)
  return { der: bytes, pem: toPem(bytes, 'X509 CRL') }
}

export function nameDer(name: Name): Buffer {
  if (Buffer.isBuffer(name)) return name
  return derSequence(relativeName('2.5.4.3', name))
}

export function relativeName(oid: string, value: string, tag = 0x0c): Buffer {
  return der(0x31, derSequence(derOid(oid), der(tag, Buffer.from(value, 'utf8'))))
}

export function derInteger(value: number): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return der(0x02, ...(bytes[0]! >= 0x80 ? [Buffer.from([0])] : []), bytes)
}

export function toPem(bytes: Buffer, label: string): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

export function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')
  const isShort = at < Date.UTC(2050, 0, 1)
  return der(isShort ? 0x17 : 0x18, Buffer.from(isShort ? text.slice(2) : text))
}

function usualAlgorithm({ privateKey }: KeyPair): {
  readonly algorithm: Buffer
  readonly hash: string | null
} {
  if (privateKey.asymmetricKeyType === 'rsa') return { algorithm: algorithms.rsaSha256, hash: 'sha256' }
  return privateKey.asymmetricKeyType === 'ed25519'
    ? { algorithm: algorithms.ed25519, hash: null }
    : { algorithm: algorithms.ecdsaSha256, hash: 'sha256' }
}

function signed(tbs: Buffer, algorithm: Buffer, hash: string | null, { privateKey }: KeyPair): Buffer {
  return derSequence(tbs, algorithm, der(0x03, Buffer.from([0]), sign(hash, tbs, privateKey)))
}

/** Extensions of the same kind replace the usual ones. */
function merged(own: readonly Buffer[], more: readonly Buffer[] = []): Buffer[] {
  const kinds = new Set(more.map(oidPart))
  return [...own.filter((each) => !kinds.has(oidPart(each))), ...more]
}

/** The identifier's bytes: behind the sequence's head, which is as long as its length needs. */
function oidPart(each: Buffer): string {
  const at = each[1]! < 0x80 ? 2 : 2 + (each[1]! & 0x7f)
  return each.subarray(at, at + 2 + each[at + 1]!).toString('hex')
}
