/** A configuration as a program: the same shape as YAML, with types, and routes that are made from a list. */
import { defineConfig, type ConfigurationInput } from 'portcullis'

/** Resource → where it is served. Each can be read with `<name>:read` and changed with `<name>:write`. */
const services = {
  invoices: 'http://127.0.0.1:7001',
  shipments: 'http://127.0.0.1:7002',
}

// The annotation is for this repository's compiler settings; elsewhere `export default defineConfig({ … })` is enough.
const configuration: ConfigurationInput = defineConfig({
  version: 1,
  providers: {
    corp: { type: 'keycloak', url: 'https://sso.example.com', realm: 'staff' },
  },
  authenticators: {
    'corp-token': { type: 'jwt', provider: 'corp', audience: 'https://api.example.com', maxLifetime: '1h' },
  },
  upstreams: Object.fromEntries(
    Object.entries(services).map(([name, target]) => [name, { targets: [target] }]),
  ),
  defaults: { authenticate: ['corp-token'], rateLimit: { limit: '100/1m', key: 'identity' } },
  routes: Object.keys(services).flatMap((name) => [
    {
      id: `${name}-read`,
      match: { path: `/${name}/*`, methods: ['GET', 'HEAD'] },
      authorize: { scopes: [`${name}:read`] },
      upstream: name,
    },
    {
      id: `${name}-write`,
      match: { path: `/${name}/*`, methods: ['POST', 'PUT', 'DELETE'] },
      authorize: { scopes: [`${name}:write`] },
      upstream: name,
    },
  ]),
})

export default configuration
