/**
 * API keys in the clothes of RFC 7617, for machines that can do nothing else: the user name is the key's id, the password the
 * whole key. The key is judged as every other, by the authenticator of keys; here is only what the clothes add.
 */
import { createApiKeyAuthenticator, type ApiKeyDependencies } from '../api-key/authenticator.ts'
import type { ApiKeySettings } from '../api-key/settings.ts'
import { isSameSecret } from '../../constant-time.ts'
import { rejected, type Outcome, type Verified } from '../../outcome.ts'
import type { Authenticator, Presented } from '../authenticator.ts'
import { readBasic, type UserAndPassword } from './credentials.ts'

export function createBasicAuthenticator(settings: ApiKeySettings, deps: ApiKeyDependencies): Authenticator {
  const keys = createApiKeyAuthenticator(settings, deps)
  const dressed = new WeakMap<Verified, Verified>()

  /** The id must be the key's own: a request that names one caller and proves another is neither's. */
  function judge(outcome: Outcome, { user }: UserAndPassword): Outcome {
    if (outcome.outcome === 'verified') {
      return isSameSecret(user, outcome.credential.id ?? '') ? dress(outcome) : rejected('basic_user')
    }
    const { credentialId } = outcome.outcome === 'rejected' ? outcome : {}
    return credentialId === undefined || isSameSecret(user, credentialId) ? outcome : rejected('basic_user')
  }

  /** One answer for all requests with the key, as the inner one is: others remember things by it. */
  function dress(inner: Verified): Verified {
    const known = dressed.get(inner)
    if (known !== undefined) return known
    const identity = Object.freeze({ ...inner.identity, amr: Object.freeze(['basic']) })
    const outer: Verified = Object.freeze({ ...inner, identity })
    dressed.set(inner, outer)
    return outer
  }

  return {
    name: settings.name,
    type: 'basic',
    places: settings.in,
    challenges: [{ scheme: 'Basic' }],
    ...(keys.binding === undefined ? {} : { binding: keys.binding }),
    takes: () => 'yes',
    recall(presented, request) {
      const read = readBasic(presented.value)
      if (read === undefined) return rejected('basic_malformed')
      const outcome = keys.recall(keyIn(read, presented), request)
      return outcome && judge(outcome, read)
    },
    verify(presented, request) {
      const read = readBasic(presented.value)
      if (read === undefined) return rejected('basic_malformed')
      const outcome = keys.verify(keyIn(read, presented), request)
      return outcome instanceof Promise
        ? outcome.then((settled) => judge(settled, read))
        : judge(outcome, read)
    },
  }
}

function keyIn({ password }: UserAndPassword, presented: Presented): Presented {
  return { ...presented, value: password }
}
