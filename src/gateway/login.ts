/** The login room with what it needs, for one configuration. */
import { randomUUID } from 'node:crypto'
import type { Configuration } from '../configuration.ts'
import { createLogin, type Login } from '../login/login.ts'
import type { LoginProvider } from '../login/dependencies.ts'
import type { Provider } from '../remote/provider.ts'
import { renderDocument } from '../server/page.ts'
import { createLoginProvider } from './login-providers.ts'
import type { Foundation } from './services.ts'

const holder = randomUUID()

export function openLogin(
  configuration: Configuration,
  { services, sessions }: Foundation,
  providerOf: (name: string) => Provider | undefined,
): Login {
  const providers = new Map<string, LoginProvider>()
  return createLogin({
    configuration,
    sessions: sessions.parts,
    clock: services.clock,
    audit: services.audit,
    revocations: services.revocations,
    log: services.log,
    provider(name) {
      const known = providers.get(name)
      if (known !== undefined) return known
      const provider = providerOf(name)
      if (provider === undefined) throw new TypeError(`no provider ${name}`)
      const made = createLoginProvider(provider, services)
      providers.set(name, made)
      return made
    },
    page: (title, body, head) =>
      renderDocument({ title, heading: title, body, ...(head === undefined ? {} : { head }) }),
    holder,
  })
}
