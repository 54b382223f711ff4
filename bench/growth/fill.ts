/**
 * Fills a store with keys or revocations, fast: `node bench/growth/fill.ts keys|revocations COUNT STORE [LIST]`. All goes
 * through the store's own code. Some of the keys are good, and written to the list.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { digestOfKey } from '../../src/engine/authenticators/api-key/digest.ts'
import { makeKey } from '../../src/engine/authenticators/api-key/key-format.ts'
import type { ApiKeyRecord } from '../../src/ports/api-keys.ts'
import type { Revocation } from '../../src/ports/revocations.ts'
import { openStore } from '../../src/stores/open.ts'
import { openConnection } from '../../src/stores/sqlite/connection.ts'
import { sqliteRevocations } from '../../src/stores/sqlite/revocations.ts'
import { issuer, scope } from '../credentials.ts'

const [kind = '', countText = '', store = '', list] = process.argv.slice(2)
const count = Number(countText)
const batch = 50_000
const now = Date.now()

if (kind === 'keys') await fillWithKeys()
else if (kind === 'revocations') await fillWithRevocations()
else throw new Error('node bench/growth/fill.ts keys|revocations COUNT STORE [LIST]')

async function fillWithKeys(): Promise<void> {
  const opened = await openStore(store, { clock: { now: () => Date.now() } })
  const good = Array.from({ length: Math.min(1_000, count) }, () => makeKey('ptc'))
  const records = good.map(({ id, key }, index) => recordOf(id, digestOfKey(key, undefined), index))
  await opened.apiKeys.insert(records)
  for (let made = records.length; made < count; made += batch) {
    const size = Math.min(batch, count - made)
    await opened.apiKeys.insert(
      Array.from({ length: size }, (_, index) =>
        // The digest of a key that nobody holds is 32 bytes that nobody can tell from any others.
        recordOf(`other-${made + index}`, randomBytes(32).toString('hex'), made + index),
      ),
    )
  }
  await opened.close()
  if (list !== undefined) writeFileSync(list, JSON.stringify(good.map(({ key }) => key)), { mode: 0o600 })
}

function recordOf(id: string, digest: string, index: number): ApiKeyRecord {
  return {
    id,
    owner: `partner-${index % 10_000}`,
    digests: [digest],
    origin: 'created',
    prefix: 'ptc',
    scopes: [scope],
    roles: ['partner'],
    metadata: {},
    allowedIps: [],
    allowedRoutes: [],
    createdAt: now,
    expiresAt: now + 86_400_000,
  }
}

/** A write to disk for each of a million would take an hour: one for all of a batch, around what the store does itself. */
async function fillWithRevocations(): Promise<void> {
  const connection = openConnection(store)
  const { reader, writer } = connection
  const revocations = sqliteRevocations(
    { ...connection, reader, writer, write: async (work) => work() },
    () => undefined,
  )
  for (let made = 0; made < count; made += batch) {
    await connection.write(async () => {
      for (let index = made; index < Math.min(made + batch, count); index++) await revocations.add(entry())
    })
  }
  await connection.close()
}

function entry(): Revocation {
  return {
    kind: 'jti',
    issuer,
    value: randomUUID(),
    at: now,
    permanent: true,
    expiresAt: now + 86_400_000,
    createdAt: now,
  }
}
