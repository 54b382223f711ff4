/**
 * A checkpoint: a signed statement that the log's record `seq` has this hash, and with it that every record before is
 * what it was. A line is `{"checkpoint":1,"seq":N,"hash":"…","time":"…","key":"…","previous":"…","signature":"…"}`.
 * The signature (Ed25519, RFC 8032; base64) is over the line's bytes with its last member, `,"signature":"…"`, taken out;
 * `previous` is the SHA-256 of the checkpoint line before, so none can be taken out of the middle.
 */
import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto'

export interface Checkpoint {
  readonly seq: number
  readonly hash: string
  /** RFC 3339: when it was signed. */
  readonly time: string
  /** Which key signed: `keyId` of its public half. */
  readonly key: string
  readonly previous: string
  readonly signature: string
}

export type UnsignedCheckpoint = Omit<Checkpoint, 'signature'>

/** @returns the line, without the newline */
export function signCheckpoint(checkpoint: UnsignedCheckpoint, key: KeyObject): string {
  const body = checkpointBody(checkpoint)
  const signature = sign(null, Buffer.from(body), key).toString('base64')
  return `${body.slice(0, -1)},"signature":"${signature}"}`
}

/** @returns whether one of the keys, by id, made the signature */
export function isSignedBy(checkpoint: Checkpoint, keys: ReadonlyMap<string, KeyObject>): boolean {
  const key = keys.get(checkpoint.key)
  if (key === undefined) return false
  return verify(
    null,
    Buffer.from(checkpointBody(checkpoint)),
    key,
    Buffer.from(checkpoint.signature, 'base64'),
  )
}

/** The exact bytes that are signed. The first member keeps the signature from meaning anything else. */
function checkpointBody({ seq, hash, time, key, previous }: UnsignedCheckpoint): string {
  return JSON.stringify({ checkpoint: 1, seq, hash, time, key, previous })
}

const form =
  /^\{"checkpoint":1,"seq":([1-9][0-9]{0,15}),"hash":"([0-9a-f]{64})","time":"([0-9TZ:.+-]{20,40})","key":"([0-9a-f]{16})","previous":"([0-9a-f]{64})","signature":"([A-Za-z0-9+/]{86}==)"\}$/

/** Reads a line of `checkpoints.log`, byte for byte in its one form. */
export function readCheckpoint(line: string): Checkpoint | undefined {
  const [, seq, digest, time, key, previous, signature] = form.exec(line) ?? []
  if (seq === undefined || digest === undefined || time === undefined) return undefined
  if (key === undefined || previous === undefined || signature === undefined) return undefined
  return { seq: Number(seq), hash: digest, time, key, previous, signature }
}

/** Reads a checkpoint that was kept elsewhere: any JSON spelling of the same members (a file may have been formatted). */
export function readKeptCheckpoint(json: string): Checkpoint | undefined {
  try {
    const { checkpoint, seq, hash, time, key, previous, signature } = JSON.parse(json) as Record<
      string,
      unknown
    >
    return readCheckpoint(JSON.stringify({ checkpoint, seq, hash, time, key, previous, signature }))
  } catch {
    return undefined
  }
}

/** @returns what the next checkpoint has as `previous` */
export function checkpointLineHash(line: string): string {
  return hash('sha256', line, 'hex')
}

/** Names a public key: the first 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo (DER). */
export function keyId(publicKey: KeyObject): string {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex').slice(0, 16)
}

const pemBlock = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g

/**
 * Reads the public keys of a PEM text: one, or several one after the other where the key was changed.
 * @throws TypeError when there is none, or one that is not Ed25519
 */
export function publicKeysOf(pem: string): ReadonlyMap<string, KeyObject> {
  const keys = (pem.match(pemBlock) ?? []).map((block) => createPublicKey(block))
  if (keys.length === 0) throw new TypeError('no PEM "PUBLIC KEY" block in it')
  if (keys.some((key) => key.asymmetricKeyType !== 'ed25519'))
    throw new TypeError('not an Ed25519 public key')
  return new Map(keys.map((key) => [keyId(key), key]))
}
