import type { ProviderSettings } from './settings.ts'
import { compilePatterns, patternFault } from './patterns.ts'
import {
  allowList,
  defineProfile,
  parameter,
  type Claims,
  type Profile,
  type ProviderKind,
} from './profile.ts'
import { parseSpiffeId } from '../certificates/spiffe-id.ts'

/** @see JWT-SVID section 2.1: these and no others */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const

/**
 * Workloads of a SPIFFE trust domain, by their JWT-SVIDs. Such a token needs no `iss`: the trust domain in its subject
 * issued it, and the trust bundle has the keys. A workload chooses the audience itself, so `ids` says who may come.
 */
export const spiffe: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const trustDomain = parameter(settings, 'trustDomain')
    const { issuer } = settings.parameters
    const own = `spiffe://${trustDomain}`
    const issuers = issuer === undefined ? [own] : [own, issuer]
    const ids = allowList(settings, 'ids')
    const isListed = ids === undefined ? undefined : compilePatterns(ids)
    return defineProfile(settings, {
      issuers,
      metadata: { at: own, issuer: own },
      keysAddress: parameter(settings, 'bundle'),
      keysFrom: 'address',
      keyUse: 'jwt-svid',
      algorithms,
      claims: { client: [], scopes: [] },
      sameIssuers: () => issuers,
      issuerOf: ({ sub }: Claims) =>
        typeof sub === 'string' && (sub === own || sub.startsWith(`${own}/`)) ? own : undefined,
      issuerFault: ({ iss, sub }: Claims) => {
        const id = typeof sub === 'string' ? parseSpiffeId(sub) : undefined
        if (id?.trustDomain !== trustDomain) return '`sub` is no SPIFFE ID of the trust domain'
        if (id.path === '') return '`sub` is the trust domain itself, which is no workload'
        return iss === undefined || issuer === undefined || iss === issuer
          ? undefined
          : '`iss` is not the configured issuer'
      },
      admissionFault: ({ sub }: Claims) =>
        isListed?.(sub) === false ? 'the SPIFFE ID is not among `ids`' : undefined,
      ...(ids === undefined ? { openTo: trustDomainOpen } : {}),
    })
  },
  configurationFault: (settings) => {
    const { trustDomain = '', bundle = '' } = settings.parameters
    if (trustDomain === '') return '`trustDomain` is missing'
    if (parseSpiffeId(`spiffe://${trustDomain}`)?.path !== '') {
      return '`trustDomain` must be the name alone, such as prod.example.org: lower-case letters, digits, `.`, `-` and `_`'
    }
    if (bundle === '') return '`bundle` is missing: the address or the file of the trust bundle'
    const name = `spiffe://${trustDomain}/`
    for (const entry of allowList(settings, 'ids') ?? []) {
      const fault = patternFault(entry)
      if (fault !== undefined) return `\`ids\`: "${entry}" ${fault}`
      if (!entry.startsWith(name) || parseSpiffeId(entry.replaceAll('*', 'x')) === undefined) {
        return `\`ids\`: "${entry}" is no SPIFFE ID below ${name}`
      }
    }
    return undefined
  },
}

const trustDomainOpen = {
  severity: 'warning',
  whose: 'every workload of the trust domain',
  how: 'a workload chooses the audience of its tokens itself',
  claims: ['sub'],
  members: ['ids'],
} as const
