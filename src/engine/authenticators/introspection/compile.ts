import { compileBinding } from '../../bindings/settings.ts'
import { audiencesOf, compileResource } from '../../resources/resource.ts'
import { clientFiles, compileClient } from '../../providers/client-settings.ts'
import type { CompileContext } from '../kind.ts'
import type { ParsedIntrospection } from './schema.ts'
import type { IntrospectionSettings } from './settings.ts'

const defaultStaleFor = 300_000

/** From what was written to what the engine reads. */
export function compileIntrospection(
  name: string,
  parsed: ParsedIntrospection,
  { resolve }: CompileContext,
): IntrospectionSettings {
  const { type, in: places, provider, audience = [], cacheFor, onUnavailable, staleFor, maxLifetime } = parsed
  const client = compileClient(parsed.client, resolve)
  // RFC 8707: the resource's identifier is what clients ask tokens for.
  const own = parsed.resource === undefined ? [] : audiencesOf(parsed.resource.id)
  return {
    type,
    name,
    in: places,
    provider,
    providers: [provider],
    // Answers that are signed now and then do not need the keys ahead.
    fetchesKeys: parsed.signedAnswers === 'required',
    files: clientFiles(client),
    audience: audience.length === 1 && audience[0] === 'any' ? 'any' : [...new Set([...audience, ...own])],
    client,
    cacheFor,
    staleFor: onUnavailable === 'stale' ? (staleFor ?? defaultStaleFor) : 0,
    requiresSigned: parsed.signedAnswers === 'required',
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
    binding: compileBinding(parsed),
    ...(parsed.resource === undefined ? {} : { resource: compileResource(parsed.resource, parsed.binding) }),
  }
}
