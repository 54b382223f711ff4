/** The shapes of what the admin API answers, for its description; a test holds the answers to them. */
import { z } from 'zod'
import { keyStatuses } from '../engine/authenticators/api-key/life.ts'
import { rotationStages } from '../keys/rotation.ts'
import { revocationKinds } from '../ports/revocations.ts'

const time = z.string().describe('RFC 3339, UTC')

const keyMembers = {
  id: z.string(),
  name: z.string().optional(),
  owner: z.string(),
  status: z.enum(keyStatuses),
  origin: z.enum(['created', 'imported']),
  prefix: z.string().optional(),
  authenticator: z.string().optional().describe('The one authenticator that the key is limited to.'),
  scopes: z.array(z.string()),
  roles: z.array(z.string()),
  tenant: z.string().optional(),
  metadata: z.record(z.string(), z.string()),
  allowedIps: z.array(z.string()),
  allowedRoutes: z.array(z.string()),
  rateLimit: z.string().optional(),
  certificate: z.string().optional().describe('SHA-256 of the client certificate that must come with it.'),
  createdAt: time,
  notBefore: time.optional(),
  expiresAt: time.optional(),
  lastUsedAt: time.optional().describe('RFC 3339, UTC; to the minute.'),
  successor: z.string().optional().describe('The key that took over.'),
  graceEndsAt: time.optional(),
  predecessor: z.string().optional().describe('The key that it took over from.'),
  rotation: z
    .strictObject({
      stage: z.enum(rotationStages),
      old: z.string(),
      oldLastUsedAt: time.optional(),
      new: z.string(),
      newLastUsedAt: time.optional(),
    })
    .optional()
    .describe('How far the rotation has come.'),
  quarantinedAt: time.optional(),
  quarantinedReason: z.string().optional(),
  seenFrom: z
    .array(z.strictObject({ address: z.string(), lastSeenAt: time }))
    .optional()
    .describe('Where it was used from lately; only where one key is shown.'),
  revokedAt: time.optional(),
  revokedReason: z.string().optional(),
}
const secretKey = z.string().describe('The key itself. It is shown this once.')

export const keyView: z.ZodType = z.strictObject(keyMembers)
export const createdKeyView: z.ZodType = z.strictObject({ ...keyMembers, key: secretKey })
export const rotatedKeyView: z.ZodType = z.strictObject({
  ...keyMembers,
  key: secretKey,
  replaces: z.strictObject({ id: z.string(), graceEndsAt: time }),
})
export const keyPageView: z.ZodType = z.strictObject({
  items: z.array(keyView),
  next: z.string().optional().describe('`after` for the next page; absent on the last one.'),
})
export const importedView: z.ZodType = z.strictObject({
  imported: z.int(),
  ids: z.array(z.string()).describe('In the order of the list.'),
})

export const assertionKeyView: z.ZodType = z.strictObject({
  kid: z.string(),
  stage: z.enum(['new', 'active', 'draining']).describe('`new`: published, to be known before it signs.'),
  activeFrom: time,
  lastUsedAt: time.optional().describe('RFC 3339, UTC; by this gateway.'),
  retiresAt: time.optional(),
})
export const assertionKeyPageView: z.ZodType = z.strictObject({ items: z.array(assertionKeyView) })

export const revocationView: z.ZodType = z.strictObject({
  kind: z.enum(revocationKinds),
  issuer: z.string().optional().describe('Absent for any issuer.'),
  value: z.string().optional(),
  at: time.describe('Refuses what was issued at or before; RFC 3339, UTC.'),
  permanent: z.boolean(),
  expiresAt: time.optional(),
  reason: z.string().optional(),
  createdAt: time,
})
export const revokedView: z.ZodType = z.strictObject({
  revocations: z.array(revocationView).describe('One for each issuer that it holds for.'),
  notices: z.array(z.string()),
})
export const endedView: z.ZodType = z.strictObject({ revocations: z.array(revocationView) })
export const revocationPageView: z.ZodType = z.strictObject({
  items: z.array(revocationView),
  total: z.int(),
})

export const auditPageView: z.ZodType = z.strictObject({
  items: z.array(z.looseObject({})).describe('Events as they stand in the log, newest first.'),
})
const seenKey = z.strictObject({
  kid: z.string().optional(),
  alg: z.string().optional(),
  kty: z.string(),
  firstSeenAt: z.string().describe('RFC 3339 time, since the gateway started.'),
  lastSeenAt: z.string().describe('RFC 3339 time of the last set that had it.'),
})

const clientView = z.strictObject({
  id: z.string(),
  method: z.enum(['secret', 'private_key_jwt', 'mtls']),
  secrets: z.int().optional().describe('How many are configured.'),
  working: z.int().optional().describe('Which one the provider took last; 1 is the newest.'),
  oldSecretLastUsedAt: z
    .string()
    .optional()
    .describe('RFC 3339 time at which one that is not the newest was last taken.'),
  stage: z
    .enum(['new', 'both', 'draining'])
    .optional()
    .describe('Of a rotation. `draining`: the older ones were silent for an hour, and can be withdrawn.'),
})

export const providerView: z.ZodType = z.strictObject({
  name: z.string(),
  type: z.string(),
  issuer: z.string(),
  state: z.enum(['unfetched', 'fresh', 'stale', 'unavailable']).describe('Of its keys.'),
  fetchedAt: z.string().optional().describe('RFC 3339 time.'),
  expiresAt: z.string().optional().describe('RFC 3339 time until which the keys are fresh.'),
  keys: z.array(seenKey),
  keysGone: z.array(seenKey).describe('Keys that left the set, the last one first.'),
  clients: z.array(clientView).describe('The clients that the gateway is there.'),
  lastError: z.string().optional().describe('Why the last fetch failed; absent once one succeeded.'),
})
export const providerPageView: z.ZodType = z.strictObject({ items: z.array(providerView) })

export const healthView: z.ZodType = z.strictObject({
  status: z.enum(['live', 'starting', 'ready', 'draining']),
  providersAway: z
    .array(z.string())
    .optional()
    .describe('Providers that cannot be reached now: their routes answer 503, the others work.'),
})

export const problemView: z.ZodType = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
})
