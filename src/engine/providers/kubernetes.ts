import type { ProviderSettings } from './settings.ts'
import { compilePatterns, patternFault } from './patterns.ts'
import {
  allowList,
  defineProfile,
  urlFault,
  type Claims,
  type Profile,
  type ProviderKind,
} from './profile.ts'

const insideServer = 'https://kubernetes.default.svc'
/** Names that the API server has inside every cluster, and signs with where nobody gave it another issuer. */
const insideIssuers: readonly string[] = [insideServer, `${insideServer}.cluster.local`]
/** What every pod is given, unless it asked not to be. */
const mount = '/var/run/secrets/kubernetes.io/serviceaccount'

const namespaceForm = /^[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?$/
const accountForm = /^[a-z0-9*](?:[a-z0-9*-]*[a-z0-9*])?\/[a-z0-9*](?:[a-z0-9.*-]*[a-z0-9*])?$/
const subjectForm = /^system:serviceaccount:(?<namespace>[a-z0-9-]{1,63}):(?<account>[a-z0-9.-]{1,253})$/

/** Objects that a token can be bound to; such a token dies with its object, which its signature cannot tell. */
const boundObjects: readonly string[] = ['pod', 'node', 'secret']

/**
 * A cluster's service accounts. Any workload of the cluster can ask for a token with any audience, so the audience alone
 * keeps nobody out: `namespaces` and `serviceAccounts` do. The namespace is the tenant.
 */
export const kubernetes: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const { issuer, boundTo } = settings.parameters
    const server = serverOf(settings)
    const isInside = server !== undefined && isInsideHost(server)
    const namespaces = allowList(settings, 'namespaces')
    const accounts = allowList(settings, 'serviceAccounts')
    const inNamespace = namespaces === undefined ? undefined : compilePatterns(namespaces)
    const isAccount = accounts === undefined ? undefined : compilePatterns(accounts)
    const tokenFile = settings.parameters['tokenFile'] ?? (isInside ? `${mount}/token` : undefined)
    const issuers = issuer === undefined ? insideIssuers : [issuer]
    return defineProfile(settings, {
      issuers,
      metadata: { at: server ?? issuers[0] ?? insideServer, issuer: issuers[0] ?? insideServer },
      sameIssuers: () => issuers,
      // The API server's own path: what its metadata names is often an address that only it can be reached at itself,
      // and the token that reads the keys must go nowhere else.
      ...(server === undefined ? {} : { keysFrom: 'address', keysAddress: `${server}/openid/v1/jwks` }),
      ...(server === undefined || tokenFile === undefined
        ? {}
        : { keysCredential: { file: tokenFile, origin: new URL(server).origin } }),
      ...(isInside ? { ca: `${mount}/ca.crt` } : {}),
      claims: { client: [], scopes: [], tenant: [['kubernetes.io', 'namespace']] },
      kindFault: (claims: Claims) =>
        Object.hasOwn(claims, 'kubernetes.io/serviceaccount/namespace')
          ? 'a token kept in a secret, without an end'
          : undefined,
      issuerFault: (claims: Claims) => {
        const told = accountIn(claims)
        if (told === undefined) return '`sub` and `kubernetes.io` do not tell one service account'
        return boundTo === undefined || isBoundTo(claims, boundTo)
          ? undefined
          : `the token is not bound to a ${boundTo}`
      },
      admissionFault: (claims: Claims) => {
        const { namespace, account } = accountIn(claims) ?? {}
        if (inNamespace?.(namespace) === false) return 'the namespace is not among `namespaces`'
        return isAccount?.(`${namespace}/${account}`) === false
          ? 'the service account is not among `serviceAccounts`'
          : undefined
      },
      ...(namespaces === undefined && accounts === undefined ? { openTo: cluster } : {}),
    })
  },
  configurationFault: (settings) => {
    const { issuer, server, boundTo, tokenFile } = settings.parameters
    for (const [name, url] of Object.entries({ issuer, server })) {
      const fault = url === undefined ? undefined : urlFault(name, url)
      if (fault !== undefined) return fault
    }
    if (boundTo !== undefined && !boundObjects.includes(boundTo)) {
      return '`boundTo` must be pod, node or secret'
    }
    if (tokenFile !== undefined && serverOf(settings) === undefined) {
      return '`tokenFile` goes to the API server alone: name it under `server`'
    }
    return (
      listFault(settings, 'namespaces', namespaceForm, 'a namespace, such as payments or team-*') ??
      listFault(
        settings,
        'serviceAccounts',
        accountForm,
        'NAMESPACE/NAME, such as payments/worker or payments/*',
      )
    )
  },
}

const cluster = {
  severity: 'warning',
  whose: 'every workload of the cluster',
  how: 'any service account can ask for a token with your audience',
  claims: ['sub', 'kubernetes.io', 'kubernetes.io.namespace', 'kubernetes.io.serviceaccount.name'],
  members: ['namespaces', 'serviceAccounts'],
} as const

/** @returns the API server's base URL, without a slash at its end; undefined where the issuer itself publishes the keys */
function serverOf({ parameters }: ProviderSettings): string | undefined {
  const { issuer, server } = parameters
  const written = server ?? (issuer === undefined || isInsideHost(issuer) ? insideServer : undefined)
  return written?.replace(/\/+$/, '')
}

function isInsideHost(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? ''
  return host === 'kubernetes.default.svc' || host.startsWith('kubernetes.default.svc.')
}

/** The service account, when subject and claims tell the same one. */
function accountIn(claims: Claims): { readonly namespace: string; readonly account: string } | undefined {
  const { sub, 'kubernetes.io': told } = claims
  const { namespace, account } = (typeof sub === 'string' ? subjectForm.exec(sub)?.groups : undefined) ?? {}
  if (namespace === undefined || account === undefined) return undefined
  return memberOf(told, 'namespace') === namespace &&
    memberOf(memberOf(told, 'serviceaccount'), 'name') === account
    ? { namespace, account }
    : undefined
}

function isBoundTo(claims: Claims, object: string): boolean {
  const uid = memberOf(memberOf(claims['kubernetes.io'], object), 'uid')
  return typeof uid === 'string' && uid !== ''
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Claims)[name]
    : undefined
}

function listFault(
  settings: ProviderSettings,
  name: string,
  form: RegExp,
  expected: string,
): string | undefined {
  for (const entry of allowList(settings, name) ?? []) {
    const fault = patternFault(entry)
    if (fault !== undefined) return `\`${name}\`: "${entry}" ${fault}`
    if (!form.test(entry)) return `\`${name}\`: "${entry}" is not ${expected}`
  }
  return undefined
}
