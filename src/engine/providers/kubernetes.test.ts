import { describe, expect, it } from 'vitest'
import { detailOf, identify, providerBench, times } from '../../../test/support/provider-bench.ts'
import { providerSettings, type Json } from '../../../test/support/tokens.ts'
import type { Bench } from '../../../test/support/jwt-authenticator.ts'
import { configurationFault, expectedIssuers, profileFor } from './registry.ts'
import type { Profile } from './profile.ts'

type Texts = Readonly<Record<string, string>>
type Lists = Readonly<Record<string, readonly string[]>>

function on(lists?: Lists, parameters: Texts = {}): Bench {
  return providerBench({ type: 'kubernetes', parameters, ...(lists === undefined ? {} : { lists }) })
}

function profile(parameters: Texts): Profile {
  return profileFor(providerSettings({ type: 'kubernetes', parameters }))
}

/** As the kubelet projects it into a pod. */
const token: Json = {
  ...times,
  nbf: times.iat,
  jti: 'aed34954-b33a-4142-b1ec-389d6bbb4936',
  iss: 'https://kubernetes.default.svc.cluster.local',
  aud: ['https://api.example.com'],
  sub: 'system:serviceaccount:payments:worker',
  'kubernetes.io': {
    namespace: 'payments',
    node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
    pod: { name: 'worker-7d9f', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
    serviceaccount: { name: 'worker', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
    warnafter: times.iat + 3_607,
  },
}
const inside = token['kubernetes.io'] as Json

describe('kubernetes', () => {
  it('makes the service account the subject and its namespace the tenant', async () => {
    expect(await identify(on(), token)).toMatchObject({
      issuer: token['iss'],
      subject: 'system:serviceaccount:payments:worker',
      tenant: 'payments',
      scopes: [],
      roles: [],
    })
    expect(await identify(on(), token)).not.toHaveProperty('client')
  })

  it('takes both names that an API server has for itself, and only the issuer that is written', async () => {
    expect(await identify(on(), { ...token, iss: 'https://kubernetes.default.svc' })).toMatchObject({
      tenant: 'payments',
    })
    const own = 'https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE'
    expect(await identify(on({}, { issuer: own }), { ...token, iss: own })).toMatchObject({ issuer: own })
    expect(await identify(on({}, { issuer: own }), token)).toBe('token_issuer')
    expect(expectedIssuers(providerSettings({ type: 'kubernetes', parameters: { issuer: own } }))).toEqual([
      own,
    ])
  })

  it.each<[string, Json]>([
    ['another namespace in the claims', { 'kubernetes.io': { ...inside, namespace: 'kube-system' } }],
    ['another account in the claims', { 'kubernetes.io': { ...inside, serviceaccount: { name: 'admin' } } }],
    ['no claims of Kubernetes', { 'kubernetes.io': undefined }],
    ['a user', { sub: 'kubernetes-admin' }],
    ['a node', { sub: 'system:node:node-1' }],
    ['a subject with more behind it', { sub: 'system:serviceaccount:payments:worker:x' }],
    ['a subject of another case', { sub: 'system:serviceaccount:Payments:worker' }],
  ])('refuses a token that tells %s', async (_what, changes) => {
    expect(await identify(on(), { ...token, ...changes })).toBe('token_issuer')
  })

  it('refuses the endless tokens that older clusters kept in secrets', async () => {
    const legacy = {
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'payments',
      'kubernetes.io/serviceaccount/secret.name': 'worker-token-x',
      'kubernetes.io/serviceaccount/service-account.name': 'worker',
      sub: 'system:serviceaccount:payments:worker',
    }
    expect(await identify(on(), legacy)).toBe('token_issuer')
    expect(await identify(on(), { ...token, ...legacy, iss: token['iss'] })).toBe('token_kind')
    expect(await identify(on(), { ...token, exp: undefined })).toBe('token_claim')
    expect(await identify(on(), { ...token, aud: undefined })).toBe('token_audience')
  })

  it('lets in by namespace and by account, both where both are written', async () => {
    for (const lists of [
      { namespaces: ['payments'] },
      { namespaces: ['pay*'] },
      { serviceAccounts: ['payments/worker'] },
      { serviceAccounts: ['payments/*'] },
      { namespaces: ['payments'], serviceAccounts: ['*/worker'] },
    ]) {
      expect(await identify(on(lists), token)).toMatchObject({ tenant: 'payments' })
    }
    for (const lists of [
      { namespaces: ['billing'] },
      { serviceAccounts: ['payments/admin'] },
      { namespaces: ['billing'], serviceAccounts: ['payments/worker'] },
    ]) {
      expect(await identify(on(lists), token)).toBe('token_not_admitted')
    }
  })

  it('wants the token bound to an object where that is written', async () => {
    const bound = on({}, { boundTo: 'pod' })
    expect(await identify(bound, token)).toMatchObject({ tenant: 'payments' })
    const { pod: _pod, ...unbound } = inside as { pod: unknown }
    expect(await identify(bound, { ...token, 'kubernetes.io': unbound })).toBe('token_issuer')
    expect(await detailOf(bound, { ...token, 'kubernetes.io': unbound })).toMatch(/not bound to a pod/)
  })

  it('reads keys at the API server with the pod’s own token and authority, and shows the token to nobody else', () => {
    const mount = '/var/run/secrets/kubernetes.io/serviceaccount'
    for (const parameters of [{}, { issuer: 'https://kubernetes.default.svc.cluster.local' }]) {
      expect(profile(parameters)).toMatchObject({
        keysFrom: 'address',
        keysAddress: 'https://kubernetes.default.svc/openid/v1/jwks',
        keysCredential: { file: `${mount}/token`, origin: 'https://kubernetes.default.svc' },
        ca: `${mount}/ca.crt`,
      })
    }
    const remote = profile({ issuer: 'https://oidc.example.com/cluster' })
    expect(remote.keysFrom).toBe('metadata')
    expect(remote).not.toHaveProperty('keysCredential')
    expect(remote).not.toHaveProperty('ca')
    const named = profile({
      issuer: 'https://oidc.example.com/x',
      server: 'https://10.0.0.1:6443/',
      tokenFile: '/t',
    })
    expect(named).toMatchObject({
      keysAddress: 'https://10.0.0.1:6443/openid/v1/jwks',
      keysCredential: { file: '/t', origin: 'https://10.0.0.1:6443' },
    })
    expect(named).not.toHaveProperty('ca')
  })

  it.each<[Texts, Lists, RegExp]>([
    [{ issuer: 'cluster' }, {}, /^`issuer`/],
    [{ server: '10.0.0.1:6443' }, {}, /^`server`/],
    [{ boundTo: 'cluster' }, {}, /^`boundTo`/],
    [{ issuer: 'https://oidc.example.com', tokenFile: '/t' }, {}, /^`tokenFile`.*`server`/],
    [{}, { namespaces: ['Payments'] }, /^`namespaces`/],
    [{}, { namespaces: ['*'] }, /^`namespaces`.*everybody/],
    [{}, { serviceAccounts: ['worker'] }, /^`serviceAccounts`.*NAMESPACE\/NAME/],
  ])('says what cannot work: %j %j', (parameters, lists, message) => {
    expect(configurationFault(providerSettings({ type: 'kubernetes', parameters, lists }))).toMatch(message)
  })
})
