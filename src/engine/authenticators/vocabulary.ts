/** The words that an authenticator's schema is made of. They are the configuration room's, and handed in: the engine reads no files. */
import type { z } from 'zod'
import type { CredentialPlace } from '../identity.ts'
import type { Secret } from '../secret.ts'

export interface Vocabulary {
  readonly z: typeof z
  /** `in`, with the places where it is read unless the file says otherwise. */
  readonly places: (byDefault: readonly Readonly<Record<string, string>>[]) => z.ZodType<CredentialPlace[]>
  /** Any text that is not empty. */
  readonly text: z.ZodType<string, string>
  /** Milliseconds, written `30s`. */
  readonly duration: z.ZodType<number, string>
  readonly positiveDuration: z.ZodType<number, string>
  /** What `positiveDuration` expects, in words. */
  readonly positiveDurationText: string
  readonly providerName: z.ZodType<string, string>
  /** A file; relative ones start at the configuration's folder. */
  readonly path: z.ZodType<string, string>
  readonly httpUrl: z.ZodType<string, string>
  readonly hostname: z.ZodType<string, string>
  /** Address ranges. */
  readonly peers: z.ZodType<string[]>
  readonly flag: z.ZodType<boolean, boolean>
  readonly secret: () => z.ZodType<Secret, string>
  /** A list with something in it. */
  readonly list: <T, I>(item: z.ZodType<T, I>, expected: string) => z.ZodType<T[], I[]>
  readonly oneOrMany: <T, I>(item: z.ZodType<T, I>, expected: string) => z.ZodType<T[], I | I[]>
  readonly integer: (least: number, most: number, expected?: string) => z.ZodType<number, number>
  /** One audience, a list, or `any`. */
  readonly audience: z.ZodType<string[]>
  /** `binding` and `dpop`. */
  readonly bindingMembers: Readonly<Record<'binding' | 'dpop', z.ZodType>>
  /** Protected-resource metadata. */
  readonly resource: z.ZodType
  /** The client that the gateway is at the provider. */
  readonly client: z.ZodType
}
