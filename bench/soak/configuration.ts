// The gateway of the soak: every kind of caller on one listener, limits that are counted but never met.
import { audience, issuer, scope } from '../credentials.ts'
import type { Issuer } from '../credentials.ts'
import { freePort } from '../processes.ts'
import { baseConfiguration } from '../targets/portcullis.ts'
import type { DataPlane } from '../targets/portcullis.ts'

/** A configuration and the ports that it names. */
export async function soakConfiguration(
  keys: Issuer,
  upstream: string,
  dataPlane: DataPlane | undefined,
): Promise<{ port: number; adminPort: number; content: object }> {
  const port = await freePort()
  const adminPort = await freePort()
  const rateLimit = { limit: '1000000/1m', key: 'identity' }
  const content = {
    ...baseConfiguration(port, adminPort, dataPlane === undefined ? {} : { dataPlane }),
    // The soak guesses on purpose, from one address, for as long as it runs.
    lockout: 'off',
    providers: { bench: { type: 'oidc', issuer, discovery: false, jwks: keys.keySetUrl } },
    authenticators: {
      tokens: { type: 'jwt', provider: 'bench', audience },
      partners: { type: 'api-key' },
    },
    upstreams: { catalog: { targets: [upstream] } },
    routes: [
      {
        id: 'catalog',
        match: { path: '/catalog/*' },
        authenticate: ['tokens', 'partners'],
        authorize: { scopes: [scope] },
        rateLimit,
        upstream: 'catalog',
      },
      {
        id: 'administration',
        match: { path: '/administration/*' },
        authenticate: ['tokens'],
        authorize: { scopes: ['catalog:admin'] },
        upstream: 'catalog',
      },
      { id: 'public', match: { path: '/public/*' }, authenticate: 'none', upstream: 'catalog' },
    ],
  }
  return { port, adminPort, content }
}
