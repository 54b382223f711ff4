import type { Rule } from '../rule.ts'

export const trustsEverybody: Rule = {
  id: 'trusts-everybody',
  severity: 'error',
  about: '`trustedProxies` covers the whole Internet: every client may say which address it has.',
  fix: 'Name the addresses of your own proxies.',
  *find({ trustedProxies }) {
    for (const [index, range] of trustedProxies.entries()) {
      const [base = '', prefix] = range.split('/')
      // 0.0.0.0/1 and 128.0.0.0/1 together are everybody, too.
      if (Number(prefix) >= (base.includes(':') ? 8 : 4)) continue
      yield { path: `trustedProxies[${index}]`, message: `${range} lets clients say which address they have` }
    }
  },
}
