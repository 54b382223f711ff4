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

/** Of github.com, for all repositories of the world; an enterprise's own form has its name behind it. */
const publicIssuer = 'https://token.actions.githubusercontent.com'

/** Each list of the settings, and the claim that must be on it. Names are the same in any case; ids never change hands. */
const lists = {
  owners: { claim: 'repository_owner', form: /^[A-Za-z0-9][A-Za-z0-9_-]*$/, ignoresCase: true },
  ownerIds: { claim: 'repository_owner_id', form: /^[1-9]\d*$/, ignoresCase: false },
  repositories: {
    claim: 'repository',
    form: /^[A-Za-z0-9][A-Za-z0-9_-]*\/[A-Za-z0-9._*-]+$/,
    ignoresCase: true,
  },
  repositoryIds: { claim: 'repository_id', form: /^[1-9]\d*$/, ignoresCase: false },
  refs: { claim: 'ref', form: /^refs\/[^\s*]+\/\S+$/, ignoresCase: false },
  environments: { claim: 'environment', form: /^\S.*$/, ignoresCase: true },
  workflows: {
    claim: 'job_workflow_ref',
    form: /^[A-Za-z0-9][A-Za-z0-9_-]*\/[^\s*/]+\/\.github\/workflows\/[^\s@]+@\S+$/,
    ignoresCase: false,
  },
} as const

type ListName = keyof typeof lists
const listNames = Object.keys(lists) as ListName[]

const expectedForms: Readonly<Record<ListName, string>> = {
  owners: 'organisations or users, such as octo-org; without `*`',
  ownerIds: 'numbers, as in `repository_owner_id`',
  repositories: 'OWNER/NAME or OWNER/*; the owner is always written out, since anybody can be one',
  repositoryIds: 'numbers, as in `repository_id`',
  refs: 'full refs, such as refs/heads/main or refs/tags/*',
  environments: 'names of environments',
  workflows: 'OWNER/REPOSITORY/.github/workflows/FILE@REF, as in `job_workflow_ref`',
}

/**
 * Workloads of GitHub Actions. Whoever has an account at GitHub can get such a token, for any audience: only the
 * allow-lists, or conditions of the routes, say whose repository calls. The repository plays the part of the client, so
 * that one of them can be revoked; its owner is the tenant.
 */
export const githubActions: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const issuer = issuerFrom(settings)
    const rules = listNames.flatMap((name) => {
      const list = allowList(settings, name)
      if (list === undefined) return []
      const { claim, ignoresCase } = lists[name]
      return [{ name, claim, holds: compilePatterns(list, { ignoresCase }) }]
    })
    return defineProfile(settings, {
      issuers: [issuer],
      keysAddress: `${issuer}/.well-known/jwks`,
      claims: { client: [['repository']], tenant: [['repository_owner']] },
      admissionFault: (claims: Claims) => {
        const broken = rules.find(({ claim, holds }) => !holds(claims[claim]))
        return broken === undefined ? undefined : `\`${broken.claim}\` is not among \`${broken.name}\``
      },
      ...(issuer === publicIssuer && !rules.some(({ name }) => namesOwner.has(name))
        ? { openTo: world }
        : {}),
    })
  },
  configurationFault: (settings) => {
    const { enterprise, issuer } = settings.parameters
    if (issuer !== undefined && enterprise !== undefined)
      return '`issuer` and `enterprise` exclude each other'
    if (enterprise !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(enterprise)) {
      return "`enterprise` must be the enterprise's short name, as it stands in its GitHub address"
    }
    if (issuer !== undefined) {
      const fault = urlFault('issuer', issuer)
      if (fault !== undefined) return fault
    }
    return listFault(settings)
  },
}

/** The lists that keep strangers out; a branch or an environment of theirs may have any name. */
const namesOwner: ReadonlySet<ListName> = new Set([
  'owners',
  'ownerIds',
  'repositories',
  'repositoryIds',
  'workflows',
])

const world = {
  severity: 'error',
  whose: 'every repository on GitHub',
  how: 'anybody can run a workflow that asks for a token with your audience',
  claims: [
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'enterprise',
    'enterprise_id',
  ],
  members: ['repositories', 'owners'],
  namesClient: true,
} as const

function issuerFrom({ parameters }: ProviderSettings): string {
  const { issuer, enterprise } = parameters
  return issuer ?? (enterprise === undefined ? publicIssuer : `${publicIssuer}/${enterprise}`)
}

function listFault(settings: ProviderSettings): string | undefined {
  for (const name of listNames) {
    for (const entry of allowList(settings, name) ?? []) {
      const fault = patternFault(entry)
      if (fault !== undefined) return `\`${name}\`: "${entry}" ${fault}`
      if (!lists[name].form.test(entry)) return `\`${name}\`: "${entry}" is none of ${expectedForms[name]}`
    }
  }
  return undefined
}
