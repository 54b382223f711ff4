/** Made-up tokens by the thousand, and a provider that is slow: neither may use up the provider, our sockets, or everybody's patience. */
import { afterEach, describe, expect, it } from 'vitest'
import { startLookingUp, type LookingUp } from '../support/looking-up.ts'

let setting: LookingUp | undefined

afterEach(async () => {
  await setting?.[Symbol.asyncDispose]()
  setting = undefined
})

async function flood({ told }: LookingUp, count: number, name: string): Promise<Map<string, number>> {
  const answers = new Map<string, number>()
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const answer = await told(`${name}-${index}`)
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
    }),
  )
  return answers
}

describe('a flood of made-up tokens', () => {
  it('reaches the provider only up to a bound, and who is known passes', async () => {
    setting = await startLookingUp()
    expect(await setting.told('opaque')).toBe('200')
    const answers = await flood(setting, 400, 'made-up')
    expect([...answers.keys()].toSorted()).toEqual(['401 credential_invalid', '503 provider_unavailable'])
    expect(setting.looked().length).toBeLessThan(100)
    expect(await setting.told('opaque')).toBe('200')
    expect(setting.looked().filter((token) => token === 'opaque')).toHaveLength(1)
  })

  it('from one address is locked out long before that', async () => {
    setting = await startLookingUp({ top: 'lockout: { failures: 10/1m, for: 5m }' })
    for (let turn = 0; turn < 10; turn += 1)
      expect(await setting.told(`guess-${turn}`)).toBe('401 credential_invalid')
    const answers = await flood(setting, 50, 'more')
    expect(answers.get('429 locked_out')).toBeGreaterThanOrEqual(48)
    expect(setting.looked().length).toBeLessThanOrEqual(12)
  })

  it('that all look like signed tokens of nobody is no way around', async () => {
    setting = await startLookingUp()
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const make = (index: number): string =>
      `${part({ alg: 'RS256' })}.${part({ iss: 'https://nobody.example', jti: index })}.AAAA`
    await Promise.all(Array.from({ length: 200 }, (_, index) => setting!.told(make(index))))
    expect(setting.looked().length).toBeLessThan(100)
  })

  it('of tokens that the provider stumbles over keeps nobody else out', async () => {
    setting = await startLookingUp()
    setting.server.tokens.set('newcomer', {})
    setting.server.misbehave = ({ path, form }) =>
      path === '/introspect' && form.get('token')?.startsWith('odd') === true
        ? { status: 500, body: {} }
        : undefined
    for (let turn = 0; turn < 10; turn += 1)
      expect(await setting.told(`odd-${turn}`)).toBe('503 provider_unavailable')
    expect(await setting.told('newcomer')).toBe('200')
  })
})

describe('a provider that never answers', () => {
  it('holds a bounded number of sockets and no request for long, and is asked by few until it is back', async () => {
    setting = await startLookingUp()
    const { server, told } = setting
    expect(await told('opaque')).toBe('200')
    server.misbehave = ({ path }) => (path === '/introspect' ? 'hang' : undefined)
    const began = performance.now()
    const answers = flood(setting, 150, 'slow')
    await expect.poll(() => server.sockets.size).toBeGreaterThan(0)
    expect(server.sockets.size).toBeLessThanOrEqual(34)
    expect(await told('opaque')).toBe('200')
    expect([...(await answers).keys()]).toEqual(['503 provider_unavailable'])
    expect(performance.now() - began).toBeLessThan(15_000)
    const again = performance.now()
    expect(await told('one-more')).toBe('503 provider_unavailable')
    expect(performance.now() - again).toBeLessThan(7_000)
    server.misbehave = undefined
    server.tokens.set('newcomer', {})
    await expect.poll(() => told('newcomer'), { timeout: 10_000, interval: 200 }).toBe('200')
  }, 40_000)
})
