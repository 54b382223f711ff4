import type { ProviderSettings } from './settings.ts'
import {
  allowList,
  defineProfile,
  distributedClaims,
  parameter,
  type Claims,
  type Profile,
  type ProviderKind,
} from './profile.ts'

const login = 'https://login.microsoftonline.com'
const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const issuerForms = [
  /^https:\/\/login\.microsoftonline\.com\/(?<tenant>[0-9a-f-]{36})\/v2\.0$/,
  /^https:\/\/sts\.windows\.net\/(?<tenant>[0-9a-f-]{36})\/$/,
]
/** The one tenant that all personal accounts live in. */
const consumerTenant = '9188040d-6c67-4c5b-b112-36a304b66dad'
const manyTenants: readonly string[] = ['common', 'organizations']

/**
 * Microsoft Entra ID. Which of the two token versions arrives is the API's choice, so both of a tenant's issuers count.
 * With `common` or `organizations` any tenant's do; then `tid` must be there and be the issuer's tenant, and a key that
 * is published for one tenant signs for no other. `tenants` says whose: without it, anybody who makes a tenant comes in.
 */
export const entra: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const tenant = tenantOf(settings)
    const isMany = manyTenants.includes(tenant)
    const stands = isMany ? '{tenantid}' : tenant
    const tenants = tenantsOf(settings)
    const accepts = (found: string | undefined): boolean => {
      if (found === undefined || !guid.test(found)) return false
      if (!isMany) return found === tenant
      return tenant === 'common' || found !== consumerTenant
    }
    return defineProfile(settings, {
      issuers: tenants === undefined ? issuersOf(stands) : tenants.flatMap(issuersOf),
      metadata: { at: `${login}/${tenant}/v2.0`, issuer: `${login}/${stands}/v2.0` },
      keysAddress: `${login}/${tenant}/discovery/v2.0/keys`,
      claims: { tenant: [['tid']] },
      acceptsIssuer: (issuer) => accepts(tenantInIssuer(issuer)),
      sameIssuers: (issuer) => issuersOf(tenantInIssuer(issuer) ?? stands),
      issuerFault: ({ iss, tid }) => {
        if (tid === undefined && !isMany) return undefined
        return typeof iss === 'string' && tid === tenantInIssuer(iss)
          ? undefined
          : '`tid` is not the tenant of the issuer'
      },
      keySignsFor: (keyIssuer, { iss }: Claims) => {
        const found = typeof iss === 'string' ? tenantInIssuer(iss) : undefined
        return (
          found !== undefined && issuersOf(found).includes(keyIssuer.replaceAll('{tenantid}', () => found))
        )
      },
      // Not left to `acceptsIssuer`: a token of a tenant that is not on the list is ours, and refused with that reason.
      admissionFault: ({ iss }) =>
        tenants === undefined || (typeof iss === 'string' && tenants.includes(tenantInIssuer(iss) ?? ''))
          ? undefined
          : 'the tenant is not among `tenants`',
      withheldClaims,
      ...(isMany && tenants === undefined ? { openTo: anyTenant } : {}),
      isClientId: (audience) => guid.test(audience.toLowerCase()),
      // `uti` is in every token; `jti` in none by default.
      tokenId: ({ jti, uti }) => jti ?? uti,
    })
  },
  configurationFault: (settings) => {
    const tenant = settings.parameters['tenant']?.toLowerCase() ?? ''
    const isMany = manyTenants.includes(tenant)
    if (!guid.test(tenant) && !isMany && tenant !== 'consumers') {
      return '`tenant` must be the tenant id (a GUID, as it stands in `iss`), or `common`, `organizations` or `consumers`'
    }
    const tenants = tenantsOf(settings)
    if (tenants === undefined) return undefined
    if (!isMany) return '`tenants` goes with `tenant: organizations` or `tenant: common`'
    const strange = tenants.find((each) => !guid.test(each))
    if (strange !== undefined) return `\`tenants\`: "${strange}" is no tenant id (a GUID)`
    return tenant === 'organizations' && tenants.includes(consumerTenant)
      ? '`tenants` has the tenant of personal accounts, which `tenant: organizations` leaves out'
      : undefined
  },
}

const anyTenant = {
  severity: 'error',
  whose: 'every tenant of Microsoft Entra ID',
  how: 'anybody can make a tenant, and let your application into it',
  claims: ['tid', 'iss'],
  members: ['tenants'],
} as const

/**
 * A user in more groups than fit into a token gets none of them, and a mark instead. Nobody can tell from such a token
 * which groups the user is not in.
 */
function withheldClaims(claims: Claims): readonly string[] {
  const names = distributedClaims(claims)
  const isMarked = claims['hasgroups'] === true || claims['hasgroups'] === 'true'
  return isMarked && !names.includes('groups') ? [...names, 'groups'] : names
}

function tenantsOf(settings: ProviderSettings): readonly string[] | undefined {
  return allowList(settings, 'tenants')?.map((tenant) => tenant.toLowerCase())
}

function tenantOf(settings: ProviderSettings): string {
  const tenant = parameter(settings, 'tenant').toLowerCase()
  return tenant === 'consumers' ? consumerTenant : tenant
}

function issuersOf(tenant: string): readonly [string, string] {
  return [`${login}/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`]
}

function tenantInIssuer(issuer: string): string | undefined {
  for (const form of issuerForms) {
    const tenant = form.exec(issuer)?.groups?.['tenant']
    if (tenant !== undefined) return tenant
  }
  return undefined
}
