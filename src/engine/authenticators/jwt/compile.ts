import { compileBinding } from '../../bindings/settings.ts'
import { audiencesOf, compileResource } from '../../resources/resource.ts'
import type { ParsedJwt } from './schema.ts'
import type { JwtSettings } from './settings.ts'

/** From what was written to what the engine reads. */
export function compileJwt(name: string, parsed: ParsedJwt): JwtSettings {
  const { type, in: places, provider, clients, algorithms, secret, secretEncoding } = parsed
  const { requireType, accept, maxLifetime, requiredClaims } = parsed
  return {
    type,
    name,
    in: places,
    provider,
    providers: [provider],
    fetchesKeys: secret === undefined,
    ...audienceOf(parsed),
    ...(clients === undefined ? {} : { clients }),
    algorithms,
    ...(secret === undefined ? {} : { secret }),
    secretEncoding,
    ...(requireType === undefined ? {} : { requireType }),
    ...(accept === undefined ? {} : { accept }),
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
    requiredClaims,
    binding: compileBinding(parsed),
    ...(parsed.resource === undefined ? {} : { resource: compileResource(parsed.resource, parsed.binding) }),
  }
}

/** The resource's identifier is what clients ask tokens for (RFC 8707). Where client ids stand for the audience, nothing else does. */
function audienceOf({ audience, clients, resource }: ParsedJwt): Pick<JwtSettings, 'audience'> {
  if (audience?.length === 1 && audience[0] === 'any') return { audience: 'any' }
  if (audience === undefined && (resource === undefined || clients !== undefined)) return {}
  const own = resource === undefined ? [] : audiencesOf(resource.id)
  return { audience: [...new Set([...(audience ?? []), ...own])] }
}
