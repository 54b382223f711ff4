/** The shapes of what operators send. What the values mean is judged in `inputs.ts`, with better words than a schema has. */
import { z } from 'zod'

/** What a key is for and what it may do; all optional but the owner. */
export interface GrantsInput {
  readonly owner: string
  readonly name?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly tenant?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly allowedIps?: readonly string[] | undefined
  readonly allowedRoutes?: readonly string[] | undefined
  readonly rateLimit?: string | undefined
  readonly certificate?: string | undefined
  readonly notBefore?: string | undefined
}

export interface NewKey extends GrantsInput {
  readonly expires?: string | undefined
  readonly expiresAt?: string | undefined
  readonly authenticator?: string | undefined
}

export interface ImportedKey extends GrantsInput {
  readonly id?: string | undefined
  readonly key?: string | undefined
  readonly sha256?: string | undefined
  readonly expiresAt?: string | undefined
}

export interface Rotation {
  readonly grace?: string | undefined
  readonly authenticator?: string | undefined
}

export interface KeyRevocation {
  readonly reason?: string | undefined
}

export interface KeyRelease {
  readonly reason?: string | undefined
}

export interface AssertionKeyRotation {
  readonly withdraw?: boolean | undefined
  readonly reason?: string | undefined
}

export interface EndedRevocation {
  readonly kind: 'subject' | 'client' | 'certificate' | 'issuer'
  readonly value?: string | undefined
  readonly issuer: string
  readonly reason?: string | undefined
}

export interface NewRevocation {
  readonly kind: 'jti' | 'subject' | 'client' | 'session' | 'certificate' | 'issuer'
  readonly value?: string | undefined
  readonly issuer?: string | undefined
  readonly before?: string | undefined
  readonly permanent?: boolean | undefined
  readonly expiresAt?: string | undefined
  readonly reason?: string | undefined
}

function grants() {
  const texts = z.array(z.string()).max(1_000)
  return {
    owner: z.string().describe('The subject of the identity that the key yields.'),
    name: z.string().optional().describe('What people call the key.'),
    scopes: texts.optional(),
    roles: texts.optional(),
    tenant: z.string().optional(),
    metadata: z
      .record(z.string(), z.string())
      .optional()
      .describe('Claims of the identity that the key yields.'),
    allowedIps: texts.optional().describe('Addresses and CIDR ranges; none means any.'),
    allowedRoutes: texts.optional().describe('Route ids; none means any.'),
    rateLimit: z.string().optional().describe('Across all routes, such as `10/1s`.'),
    certificate: z
      .string()
      .optional()
      .describe('SHA-256 of the client certificate that must come with the key: 64 hexadecimal digits.'),
    notBefore: z.string().optional().describe('RFC 3339 time.'),
  }
}

export const newKeySchema: z.ZodType<NewKey> = z.strictObject({
  ...grants(),
  expires: z
    .string()
    .optional()
    .describe('A duration such as `30d`, an RFC 3339 time, or `none`. Default: the longest allowed.'),
  authenticator: z.string().optional().describe('Limits the key to one authenticator.'),
})

export const importedKeySchema: z.ZodType<ImportedKey> = z.strictObject({
  id: z.string().optional(),
  key: z.string().optional().describe('The key itself, in any format.'),
  sha256: z.string().optional().describe('Or its SHA-256, lower-case hexadecimal.'),
  ...grants(),
  expiresAt: z.string().optional().describe('RFC 3339 time; without it the key does not expire.'),
})

export const rotationSchema: z.ZodType<Rotation> = z.strictObject({
  grace: z.string().optional().describe('How long the old key lives on, such as `24h`.'),
  authenticator: z.string().optional().describe('For an imported key: whose prefix the successor has.'),
})

export const keyRevocationSchema: z.ZodType<KeyRevocation> = z.strictObject({ reason: z.string().optional() })

export const keyReleaseSchema: z.ZodType<KeyRelease> = z.strictObject({ reason: z.string().optional() })

export const assertionKeyRotationSchema: z.ZodType<AssertionKeyRotation> = z.strictObject({
  withdraw: z
    .boolean()
    .optional()
    .describe('For a key that somebody may have: the next one signs at once, all others are erased.'),
  reason: z.string().optional(),
})

export const endedRevocationSchema: z.ZodType<EndedRevocation> = z.strictObject({
  kind: z.enum(['subject', 'client', 'certificate', 'issuer']),
  value: z.string().optional().describe('Whose revocation; absent for `issuer`.'),
  issuer: z.string(),
  reason: z.string().optional(),
})

export const newRevocationSchema: z.ZodType<NewRevocation> = z.strictObject({
  kind: z.enum(['jti', 'subject', 'client', 'session', 'certificate', 'issuer']),
  value: z.string().optional().describe('What is revoked; absent for `issuer`.'),
  issuer: z.string().optional(),
  before: z
    .string()
    .optional()
    .describe('RFC 3339 time; only for `issuer`, which refuses all that it issued until then.'),
  permanent: z.boolean().optional().describe('Also refuse what is issued later.'),
  expiresAt: z.string().optional().describe("The token's `exp`, RFC 3339; only for `jti`."),
  reason: z.string().optional(),
})
