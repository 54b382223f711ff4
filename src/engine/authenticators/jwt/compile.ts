import { compileBinding } from '../../bindings/settings.ts'
import type { ParsedJwt } from './schema.ts'
import type { JwtSettings } from './settings.ts'

/** From what was written to what the engine reads. */
export function compileJwt(name: string, parsed: ParsedJwt): JwtSettings {
  const { type, in: places, provider, audience, clients, algorithms, secret, secretEncoding } = parsed
  const { requireType, accept, maxLifetime, requiredClaims } = parsed
  return {
    type,
    name,
    in: places,
    provider,
    providers: [provider],
    fetchesKeys: secret === undefined,
    ...(audience === undefined
      ? {}
      : { audience: audience.length === 1 && audience[0] === 'any' ? 'any' : audience }),
    ...(clients === undefined ? {} : { clients }),
    algorithms,
    ...(secret === undefined ? {} : { secret }),
    secretEncoding,
    ...(requireType === undefined ? {} : { requireType }),
    ...(accept === undefined ? {} : { accept }),
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
    requiredClaims,
    binding: compileBinding(parsed),
  }
}
