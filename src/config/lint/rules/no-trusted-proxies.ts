import type { Rule } from '../rule.ts'

export const noTrustedProxies: Rule = {
  id: 'no-trusted-proxies',
  severity: 'warning',
  about:
    'Something stands in front of the gateway (clients use https://, and no listener has TLS; or peers send forwarding headers), and `trustedProxies` does not name it. All clients then have the address of that proxy: they share its rate limits and its lockouts.',
  fix: "Name the addresses of your own proxies under `trustedProxies`, and nobody else's.",
  *find({ publicUrl, listeners, trustedProxies }, { untrustedForwarders = [] }) {
    if (untrustedForwarders.length > 0) {
      yield {
        path: 'trustedProxies',
        message: `${untrustedForwarders.slice(0, 5).join(', ')} sent forwarding headers and is not trusted`,
      }
      return
    }
    const urls = [...publicUrl, ...listeners.flatMap((each) => each.publicUrl)]
    if (trustedProxies.length > 0 || listeners.some(({ tls }) => tls !== undefined)) return
    if (!urls.some((url) => url.startsWith('https:'))) return
    yield {
      path: 'trustedProxies',
      message: 'clients use https:// and no listener has TLS, so a proxy stands in front, and is not trusted',
    }
  },
}
