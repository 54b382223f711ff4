/** Authenticators: each type describes itself in its own folder, with the words of this room. */
import { z } from 'zod'
import type { ParsedAuthenticator } from '../../engine/authenticators/kind.ts'
import { authenticatorKinds } from '../../engine/authenticators/registry.ts'
import type { Vocabulary } from '../../engine/authenticators/vocabulary.ts'
import { path, providerName, text } from '../scalars/names.ts'
import { hostname, httpUrl } from '../scalars/network.ts'
import { duration, positiveDuration } from '../scalars/quantities.ts'
import { peersSchema } from './listeners.ts'
import { places } from './places.ts'
import { audience, bindingMembers, client, resource } from './tokens.ts'
import { flag, integer, list, oneOrMany, secret, word } from './word.ts'

export const vocabulary: Vocabulary = {
  z,
  places,
  text: word(text),
  duration: word(duration),
  positiveDuration: word(positiveDuration),
  positiveDurationText: positiveDuration.expected,
  providerName: word(providerName),
  path: word(path),
  httpUrl: word(httpUrl),
  hostname: word(hostname),
  peers: peersSchema,
  flag,
  secret,
  list,
  oneOrMany,
  integer,
  audience,
  bindingMembers,
  resource,
  client,
}

export const authenticatorSchema: z.ZodType<ParsedAuthenticator> = z.discriminatedUnion(
  'type',
  authenticatorKinds.map((kind) => kind.schema(vocabulary)) as unknown as [z.ZodObject],
) as unknown as z.ZodType<ParsedAuthenticator>
