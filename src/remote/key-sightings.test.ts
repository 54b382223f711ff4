import { describe, expect, it } from 'vitest'
import { createSigner } from '../../test/support/tokens.ts'
import { readKeySet, type KeysByContent } from './jwk-set.ts'
import { createKeySightings, type KeySighting } from './key-sightings.ts'

const jwks = ['a', 'b', 'c'].map((kid) => createSigner('ES256', kid).jwk)
const [a, b, c] = jwks

function set(...keys: unknown[]): KeysByContent {
  return readKeySet({ keys }, new Map())
}

function shown(sightings: readonly KeySighting[]): readonly string[] {
  return sightings.map(({ key, firstSeenAt, lastSeenAt }) => `${key.kid} ${firstSeenAt} ${lastSeenAt}`)
}

describe('sightings of keys', () => {
  it('tell when a key came, when it was last there, and which ones left', () => {
    const sightings = createKeySightings()
    sightings.saw(set(a), 1)
    sightings.saw(set(a, b), 2)
    sightings.saw(set(b, c), 3)
    expect(shown(sightings.current())).toEqual(['b 2 3', 'c 3 3'])
    expect(shown(sightings.gone())).toEqual(['a 1 2'])
  })

  it('know a key that comes back', () => {
    const sightings = createKeySightings()
    sightings.saw(set(a), 1)
    sightings.saw(set(b), 2)
    sightings.saw(set(a), 3)
    expect(shown(sightings.current())).toEqual(['a 1 3'])
    expect(shown(sightings.gone())).toEqual(['b 2 2'])
  })

  it('remember the last twenty that left', () => {
    const sightings = createKeySightings()
    const [jwk = {}] = jwks
    for (let at = 0; at < 30; at += 1) sightings.saw(set({ ...jwk, kid: `k${at}` }), at)
    const gone = shown(sightings.gone())
    expect(gone).toHaveLength(20)
    expect(gone[0]).toBe('k28 28 28')
  })
})
