/** Throw-away certificate authorities and what they issue, as PEM: no key in the repository, no program to call. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface IssuedCertificate {
  readonly certificate: string
  readonly key: string
}

export interface CertificateName {
  readonly type: 'dns' | 'ip'
  readonly value: string
}

export interface Authority {
  readonly certificate: string
  /** A certificate for these names, good for servers and clients. */
  issue(names: readonly CertificateName[]): IssuedCertificate
}

const tags = { integer: 0x02, bits: 0x03, octets: 0x04, text: 0x0c, time: 0x17, sequence: 0x30, set: 0x31 }
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const hour = 3_600_000

/** An authority whose certificates are valid from an hour ago to an hour from now. */
export function createAuthority(name: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = distinguishedName(name)
  const isAuthority = extension('551d13', sequence(der(0x01, Buffer.from([0xff]))), true)
  return {
    certificate: signed(issuer, issuer, publicKey, privateKey, [isAuthority]),
    issue(names) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternatives = extension('551d11', sequence(...names.map(generalName)), false)
      return {
        certificate: signed(issuer, distinguishedName('leaf'), own.publicKey, privateKey, [alternatives]),
        key: own.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      }
    },
  }
}

/** @returns the path of the file that was written */
export function writePem(folder: string, name: string, pem: string): string {
  const path = join(folder, name)
  writeFileSync(path, pem)
  return path
}

/** @see RFC 5280, section 4.1 */
function signed(
  issuer: Buffer,
  subject: Buffer,
  publicKey: KeyObject,
  signingKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const body = sequence(
    der(0xa0, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, Buffer.concat([Buffer.from([0x01]), randomBytes(8)])),
    ecdsaWithSha256,
    issuer,
    sequence(time(Date.now() - hour), time(Date.now() + hour)),
    subject,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, signingKey)])
  const whole = sequence(body, ecdsaWithSha256, der(tags.bits, signature))
  return `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`
}

function extension(id: string, value: Buffer, isCritical: boolean): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, der(tags.octets, value))
}

function distinguishedName(name: string): Buffer {
  return sequence(der(tags.set, sequence(oid('550403'), der(tags.text, Buffer.from(name)))))
}

function generalName({ type, value }: CertificateName): Buffer {
  return type === 'dns' ? der(0x82, Buffer.from(value)) : der(0x87, Buffer.from(value.split('.').map(Number)))
}

function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(tags.time, Buffer.from(digits.slice(2)))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(tags.sequence, Buffer.concat(parts))
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content])
}
