import { describe, expect, it } from 'vitest'
import { detailOf, identify, providerBench, times } from '../../../test/support/provider-bench.ts'
import { providerSettings, type Json } from '../../../test/support/tokens.ts'
import type { Bench } from '../../../test/support/jwt-authenticator.ts'
import { configurationFault, expectedIssuers, profileFor } from './registry.ts'

const audience = 'https://api.example.com'
type Lists = Readonly<Record<string, readonly string[]>>

function on(lists?: Lists, parameters: Readonly<Record<string, string>> = {}): Bench {
  return providerBench({ type: 'github-actions', parameters, ...(lists === undefined ? {} : { lists }) })
}

/** As a workflow of octo-org/site gets it, on its main branch, for the environment prod. */
const token: Json = {
  ...times,
  nbf: times.iat,
  jti: '6e67b1cb-2b8d-4be5-91cb-757edb2ec970',
  iss: 'https://token.actions.githubusercontent.com',
  aud: audience,
  sub: 'repo:octo-org/site:environment:prod',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  sha: '1f2c9d0e7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d',
  environment: 'prod',
  repository: 'octo-org/site',
  repository_id: '74',
  repository_owner: 'octo-org',
  repository_owner_id: '65',
  repository_visibility: 'private',
  actor: 'octocat',
  actor_id: '12',
  workflow: 'deploy',
  workflow_ref: 'octo-org/site/.github/workflows/deploy.yml@refs/heads/main',
  job_workflow_ref: 'octo-org/automation/.github/workflows/deploy.yml@refs/tags/v1',
  event_name: 'push',
  run_id: '30433642',
  run_number: '10',
  run_attempt: '2',
  runner_environment: 'github-hosted',
}

describe('github-actions', () => {
  it('makes the repository the client, its owner the tenant, and nobody’s roles', async () => {
    expect(await identify(on(), token)).toMatchObject({
      issuer: 'https://token.actions.githubusercontent.com',
      subject: 'repo:octo-org/site:environment:prod',
      client: 'octo-org/site',
      tenant: 'octo-org',
      scopes: [],
      roles: [],
    })
  })

  it('holds tokens to the audience', async () => {
    expect(await identify(on(), { ...token, aud: 'https://github.com/octo-org' })).toBe('token_audience')
  })

  it.each<[string, Lists]>([
    ['its repository', { repositories: ['octo-org/site'] }],
    ['its repository in another case', { repositories: ['Octo-Org/Site'] }],
    ['all of its owner', { repositories: ['octo-org/*'] }],
    ['its owner', { owners: ['other', 'octo-org'] }],
    ['its owner and the owner’s id', { owners: ['octo-org'], ownerIds: ['65'] }],
    ['its id', { repositoryIds: ['74'] }],
    ['its branch', { owners: ['octo-org'], refs: ['refs/heads/main', 'refs/tags/*'] }],
    ['its environment', { owners: ['octo-org'], environments: ['prod'] }],
    ['the workflow it runs', { workflows: ['octo-org/automation/.github/workflows/deploy.yml@refs/tags/*'] }],
  ])('lets a workflow in by %s', async (_by, lists) => {
    expect(await identify(on(lists), token)).toMatchObject({ client: 'octo-org/site' })
  })

  it.each<[string, Lists, Json, RegExp]>([
    ['a foreign repository', { repositories: ['octo-org/site'] }, { repository: 'evil/site' }, /repository/],
    [
      'an owner whose name begins alike',
      { repositories: ['octo-org/*'] },
      { repository: 'octo-org-x/site' },
      /repository/,
    ],
    ['a foreign owner', { owners: ['octo-org'] }, { repository_owner: 'octo' }, /repository_owner/],
    [
      'a name that somebody else took over',
      { owners: ['octo-org'], ownerIds: ['65'] },
      { repository_owner_id: '66' },
      /_id/,
    ],
    ['an id that is a number', { ownerIds: ['65'] }, { repository_owner_id: 65 }, /_id/],
    [
      'another branch',
      { owners: ['octo-org'], refs: ['refs/heads/main'] },
      { ref: 'refs/heads/main2' },
      /ref/,
    ],
    ['a pull request', { owners: ['octo-org'], refs: ['refs/heads/*'] }, { ref: 'refs/pull/7/merge' }, /ref/],
    [
      'no environment',
      { owners: ['octo-org'], environments: ['prod'] },
      { environment: undefined },
      /environment/,
    ],
    [
      'another workflow',
      { workflows: ['octo-org/automation/.github/workflows/deploy.yml@refs/tags/*'] },
      { job_workflow_ref: 'octo-org/automation/.github/workflows/deploy.yml@refs/heads/x' },
      /job_workflow_ref/,
    ],
  ])('refuses %s', async (_what, lists, changes, detail) => {
    expect(await identify(on(lists), { ...token, ...changes })).toBe('token_not_admitted')
    expect(await detailOf(on(lists), { ...token, ...changes })).toMatch(detail)
  })

  it('knows an enterprise’s own issuer, and a server of one’s own', async () => {
    const own = 'https://token.actions.githubusercontent.com/octo-enterprise'
    expect(
      await identify(on(undefined, { enterprise: 'octo-enterprise' }), { ...token, iss: own }),
    ).toMatchObject({ issuer: own })
    expect(await identify(on(undefined, { enterprise: 'octo-enterprise' }), token)).toBe('token_issuer')
    const server = 'https://github.example.com/_services/token'
    expect(await identify(on(undefined, { issuer: server }), { ...token, iss: server })).toMatchObject({
      issuer: server,
    })
    expect(expectedIssuers(providerSettings({ type: 'github-actions', parameters: {} }))).toEqual([
      token['iss'],
    ])
  })

  it('is open to the world only at the public issuer, where no list names an owner', () => {
    const openTo = (lists: Lists, parameters: Readonly<Record<string, string>> = {}): unknown =>
      profileFor(providerSettings({ type: 'github-actions', parameters, lists })).openTo
    expect(openTo({})).toMatchObject({ severity: 'error' })
    expect(openTo({ refs: ['refs/heads/main'], environments: ['prod'] })).toBeDefined()
    expect(openTo({ owners: ['octo-org'] })).toBeUndefined()
    expect(openTo({}, { enterprise: 'octo' })).toBeUndefined()
  })

  it.each<[Readonly<Record<string, string>>, Lists, RegExp]>([
    [{ enterprise: 'a b' }, {}, /^`enterprise`/],
    [{ enterprise: 'a', issuer: 'https://x.example' }, {}, /^`issuer` and `enterprise`/],
    [{ issuer: 'x.example' }, {}, /^`issuer`/],
    [{}, { repositories: ['site'] }, /^`repositories`.*OWNER\/NAME/],
    [{}, { repositories: ['*/site'] }, /^`repositories`.*written out/],
    [{}, { repositories: ['*'] }, /^`repositories`.*everybody/],
    [{}, { owners: ['octo-*'] }, /^`owners`/],
    [{}, { ownerIds: ['octo'] }, /^`ownerIds`/],
    [{}, { refs: ['main'] }, /^`refs`.*refs\/heads\/main/],
    [{}, { workflows: ['deploy.yml'] }, /^`workflows`/],
  ])('says what cannot work: %j %j', (parameters, lists, message) => {
    expect(configurationFault(providerSettings({ type: 'github-actions', parameters, lists }))).toMatch(
      message,
    )
  })
})
