/**
 * Seals what must not be readable in the store: AES-256-GCM under a ring of keys, one for each period of 30 days, agreed on
 * by all replicas through the store's facts. Old keys only open.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Clock } from '../../ports/clock.ts'
import type { Facts } from '../../ports/facts.ts'

export interface Vault {
  /** @param context what the content belongs to; it must be the same when it is opened */
  seal(text: string, context: string): Promise<Uint8Array>
  /**
   * A promise only where the key is not in memory yet.
   * @returns undefined when it was not sealed here, was changed, or belongs to something else
   */
  open(sealed: Uint8Array, context: string): string | undefined | Promise<string | undefined>
}

const period = 30 * 86_400_000
const version = 1
const lengths = { head: 5, nonce: 12, tag: 16 } as const

export function createVault(facts: Facts, clock: Clock): Vault {
  const keys = new Map<number, Buffer>()

  async function currentKey(): Promise<readonly [number, Buffer]> {
    const number = Math.floor(clock.now() / period)
    const known = keys.get(number)
    if (known !== undefined) return [number, known]
    // Whoever comes first decides; everybody uses what stands afterwards.
    const secret = await facts.setIfAbsent(nameOf(number), randomBytes(32).toString('base64url'))
    const key = derive(secret)
    keys.set(number, key)
    return [number, key]
  }

  async function readKey(number: number): Promise<Buffer | undefined> {
    const secret = await facts.get(nameOf(number))
    if (secret === undefined) return undefined
    const key = derive(secret)
    keys.set(number, key)
    return key
  }

  return {
    async seal(text, context) {
      const [number, key] = await currentKey()
      const head = Buffer.alloc(lengths.head)
      head.writeUInt8(version, 0)
      head.writeUInt32BE(number, 1)
      const nonce = randomBytes(lengths.nonce)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(head, context))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([head, nonce, cipher.getAuthTag(), body])
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
      if (bytes.length < lengths.head + lengths.nonce + lengths.tag || bytes[0] !== version) return undefined
      const number = bytes.readUInt32BE(1)
      const key = keys.get(number)
      if (key !== undefined) return unseal(bytes, key, context)
      return readKey(number).then((read) => (read === undefined ? undefined : unseal(bytes, read, context)))
    },
  }
}

function unseal(bytes: Buffer, key: Buffer, context: string): string | undefined {
  const head = bytes.subarray(0, lengths.head)
  const nonce = bytes.subarray(lengths.head, lengths.head + lengths.nonce)
  const tagEnd = lengths.head + lengths.nonce + lengths.tag
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: lengths.tag })
    .setAAD(boundTo(head, context))
    .setAuthTag(bytes.subarray(lengths.head + lengths.nonce, tagEnd))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function boundTo(head: Buffer, context: string): Buffer {
  return Buffer.concat([head, Buffer.from(context, 'utf8')])
}

function nameOf(number: number): string {
  return `session-key:${number}`
}

function derive(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', 'portcullis session', 32))
}
