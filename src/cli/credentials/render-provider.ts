/** Identity providers as people read them. */
import type { ClientView, KeyView, ProviderView } from '../../gateway/provider-view.ts'

/** One line of what it is, then a line for each key, client and fault. */
export function renderProvider(view: ProviderView): string {
  const { name, type, issuer, state, fetchedAt, expiresAt, keys, keysGone, clients, lastError } = view
  const fresh = state === 'fresh' && expiresAt !== undefined ? `, fresh until ${expiresAt}` : ''
  return [
    `${name} (${type}) ${issuer}`,
    `  keys ${state}${fetchedAt === undefined ? '' : `, fetched ${fetchedAt}`}${fresh}`,
    ...keys.map((key) => `  key ${renderKey(key)}`),
    ...keysGone.map((key) => `  gone ${renderKey(key)}`),
    ...clients.map((client) => `  client ${renderClient(client)}`),
    ...(lastError === undefined ? [] : [`  last fault: ${lastError}`]),
  ].join('\n')
}

function renderKey({ kid, alg, kty, firstSeenAt, lastSeenAt }: KeyView): string {
  const what = [kid ?? 'without kid', alg ?? kty].join(' ')
  const seen =
    firstSeenAt === undefined ? '' : `, first seen ${firstSeenAt}, last seen ${lastSeenAt ?? firstSeenAt}`
  return `${what}${seen}`
}

const stageWords = {
  new: 'the provider was not seen to take the newest one yet',
  both: 'the newest one works, and an older one was still used within the hour',
  draining: 'the newest one works; the older ones can be withdrawn',
} as const

function renderClient({ id, method, secrets = 0, working, oldSecretLastUsedAt, stage }: ClientView): string {
  if (method !== 'secret') return `${id}, by ${method}`
  const taken = working === undefined ? 'none used yet' : `number ${working} was taken last`
  const old = oldSecretLastUsedAt === undefined ? '' : `, an old one last used ${oldSecretLastUsedAt}`
  const rotation = stage === undefined ? '' : `; ${stage}: ${stageWords[stage]}`
  return `${id}, ${secrets === 1 ? '1 secret' : `${secrets} secrets`}: ${taken}${old}${rotation}`
}
