/** The audit key: signs checkpoints, and gives the key of fingerprints. Kept apart from the store. */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  randomUUID,
  type KeyObject,
} from 'node:crypto'
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { keyId } from './format/checkpoint.ts'
import type { OnAlarm } from './alarm.ts'

export interface AuditKey {
  readonly privateKey: KeyObject
  readonly id: string
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKeyPem: string
  /** HMAC-SHA-256 of a credential, the first 32 hex digits: the same credential gives the same value, and nobody can go back. */
  fingerprint(credential: string): string
}

/**
 * Loads the key, or makes it (mode 0600) where the file is missing.
 * @throws Error when the file is there and holds no Ed25519 private key in PEM (PKCS #8)
 */
export async function openAuditKey(path: string, onAlarm: OnAlarm): Promise<AuditKey> {
  const pem = (await readIfThere(path)) ?? (await makeKey(path))
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    onAlarm('key_permissions', `${path} has mode ${(mode & 0o777).toString(8)}; it should be 600`)
  }
  return auditKeyOf(parseKey(pem, path))
}

/** @returns the public half of the key in the file, PEM; nothing is made */
export async function readPublicKeyPem(path: string): Promise<string> {
  return auditKeyOf(parseKey(await readFile(path, 'utf8'), path)).publicKeyPem
}

function auditKeyOf(privateKey: KeyObject): AuditKey {
  const publicKey = createPublicKey(privateKey)
  const secret = privateKey.export({ type: 'pkcs8', format: 'der' })
  const hmacKey = Buffer.from(hkdfSync('sha256', secret, '', 'portcullis audit fingerprint 1', 32))
  return {
    privateKey,
    id: keyId(publicKey),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }),
    fingerprint: (credential) => createHmac('sha256', hmacKey).update(credential).digest('hex').slice(0, 32),
  }
}

function parseKey(pem: string, path: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // The parser's own message could quote what is in the file.
    throw new Error(`audit key ${path}: not a private key in PEM (PKCS #8)`)
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new Error(`audit key ${path}: an Ed25519 key is needed, this is ${key.asymmetricKeyType}`)
  }
  return key
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function makeKey(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomUUID()}`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(pem)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    // A link never replaces: of two gateways that start at once, one key wins, and both use it.
    await link(temporary, path)
    return pem
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return await readFile(path, 'utf8')
    throw error
  } finally {
    await unlink(temporary)
  }
}
