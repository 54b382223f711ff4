import { isLoopback } from '../../scalars/network.ts'
import type { Rule } from '../rule.ts'

export const providerPlainHttp: Rule = {
  id: 'provider-plain-http',
  severity: 'error',
  about:
    'A provider on another machine is reached over plain HTTP. Whoever sits between can replace its keys, and then sign as anybody.',
  fix: 'Use https://, with `ca` for a private authority.',
  *find({ providers }) {
    for (const [name, { parameters, endpoints }] of Object.entries(providers)) {
      for (const [member, url] of Object.entries({ ...parameters, ...endpoints })) {
        if (!/^http:/i.test(url) || isLoopback(new URL(url).hostname)) continue
        const path = member in parameters ? member : `endpoints.${member}`
        yield {
          path: `providers.${name}.${path}`,
          message: `"${name}" is reached over plain HTTP: its keys can be replaced on the way`,
        }
      }
    }
  },
}
