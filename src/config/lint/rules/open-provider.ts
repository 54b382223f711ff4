import type { AuthorizeSettings, Configuration, RouteSettings } from '../../../configuration.ts'
import { isJwt } from '../../../engine/authenticators/jwt/settings.ts'
import type { Openness } from '../../../engine/providers/profile.ts'
import { profileFor } from '../../../engine/providers/registry.ts'
import { namesOf, type Rule } from '../rule.ts'

export const openProvider: Rule = {
  id: 'open-provider',
  severity: 'error',
  about:
    'A provider vouches for far more callers than anybody means to let in (every repository on GitHub, every tenant of Entra), and neither its settings nor a route say which. The audience is no bar: a caller names it himself. Where it is a cluster, a trust domain or Google, this is a warning.',
  fix: 'Name who may come on the provider (`repositories`, `owners`, `tenants`, `namespaces`, `ids`, `domains`), or by `authorize.claims` on each route.',
  *find(configuration) {
    for (const [name, settings] of Object.entries(configuration.providers)) {
      const { openTo } = profileFor(settings)
      if (openTo === undefined) continue
      const route = configuration.routes.find((each) => letsAnybodyIn(each, name, openTo, configuration))
      if (route === undefined) continue
      yield {
        path: `providers.${name}`,
        severity: openTo.severity,
        message: `route "${route.id}" lets in ${openTo.whose}: ${openTo.how}, and nothing says who is meant (${openTo.members.map((each) => `\`${each}\``).join(', ')})`,
      }
    }
  },
}

function letsAnybodyIn(
  { authenticate, authorize }: RouteSettings,
  provider: string,
  openTo: Openness,
  { authenticators }: Configuration,
): boolean {
  const names = namesOf(authenticate)
  // Beside another credential that must hold as well, it is that one's business.
  if (authenticate.mode === 'all' && names.length > 1) return false
  const ways = names.filter((name) => {
    const settings = authenticators[name]
    if (settings?.providers?.includes(provider) !== true) return false
    return !(openTo.namesClient === true && isJwt(settings) && settings.clients !== undefined)
  })
  return ways.length > 0 && !isNarrowed(authorize, openTo)
}

function isNarrowed(authorize: AuthorizeSettings | undefined, { claims }: Openness): boolean {
  const demanded = Object.keys(authorize?.claims ?? {})
  if (demanded.some((claim) => claims.includes(claim))) return true
  // A condition is taken at its word: what it says of them cannot be judged here.
  return /identity\s*\.\s*(?:subject|client|tenant|claims)\b/.test(authorize?.when ?? '')
}
