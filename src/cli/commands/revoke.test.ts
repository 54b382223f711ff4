import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Revocation } from '../../ports/revocations.ts'
import { openStore } from '../../stores/open.ts'
import { CommandLine, type Outcome } from '../credentials/testing/command-line.ts'

const issuer = 'https://login.example.com'

describe('portcullis revoke', () => {
  let line: CommandLine

  beforeEach(() => {
    line = new CommandLine()
    line.configure([
      'keys: { type: api-key, prefix: ptc }',
      'token: { type: jwt, provider: corp, audience: https://api.example.com, maxLifetime: 1h }',
    ])
  })

  afterEach(() => line.remove())

  const revoke = (args: string): Promise<Outcome> =>
    line.run(['revoke', ...args.split(' ').filter((each) => each !== '')])

  async function standing(): Promise<readonly Revocation[]> {
    const store = await openStore(join(line.folder, 'store.db'), { clock: { now: () => Date.now() } })
    const revocations = await store.revocations.list()
    await store.close()
    return revocations
  }

  it('revokes a subject of one issuer, and later credentials too when asked', async () => {
    const { code, out } = await revoke(`--subject alice --issuer ${issuer} --permanent --reason left`)
    expect(code).toBe(0)
    expect(out).toMatch(
      /^revoked subject alice of https:\/\/login\.example\.com, issued until \S+ and later\n$/,
    )
    expect(await standing()).toMatchObject([
      { kind: 'subject', issuer, value: 'alice', permanent: true, reason: 'left' },
    ])
  })

  it('lists what stands', async () => {
    expect((await revoke('list')).out).toBe('')
    await revoke(`--subject alice --issuer ${issuer} --reason left`)
    await revoke('--jti abc')
    const { out } = await revoke('list')
    expect(out.trim().split('\n')).toHaveLength(2)
    expect(out).toMatch(/^\S+Z {2}subject alice of https:\/\/login\.example\.com, issued until \S+: left$/m)
    expect(JSON.parse((await revoke('list --json')).out)).toMatchObject([
      { kind: 'subject', value: 'alice' },
      { kind: 'jti', value: 'abc' },
    ])
  })

  it('lets what is issued later pass again, and says that there was nothing to end', async () => {
    await revoke(`--subject alice --issuer ${issuer} --permanent`)
    const { code, out } = await revoke(`end --subject alice --issuer ${issuer} --json`)
    expect([code, JSON.parse(out)]).toMatchObject([0, [{ value: 'alice', permanent: false }]])
    expect(await standing()).toMatchObject([{ permanent: false }])
    const again = await revoke(`end --subject alice --issuer ${issuer}`)
    expect([again.code, again.err]).toEqual([
      1,
      'there is no revocation of it that refuses what is issued from now on\n',
    ])
  })

  it('revokes a token for as long as it may live', async () => {
    const { out } = await revoke('--jti abc --json')
    const [made] = JSON.parse(out) as { kind: string; value: string; expiresAt: string; at: string }[]
    expect(made).toMatchObject({ kind: 'jti', value: 'abc' })
    expect(Date.parse(made!.expiresAt) - Date.parse(made!.at)).toBeGreaterThanOrEqual(3_600_000)
  })

  it('revokes all that an issuer issued until a time', async () => {
    await revoke(`--issuer ${issuer} --before 2026-01-01T00:00:00Z`)
    expect(await standing()).toMatchObject([{ kind: 'issuer', issuer, at: Date.UTC(2026, 0, 1) }])
  })

  it('holds at each issuer where none is named, and says so', async () => {
    const { err, out } = await revoke('--client web')
    expect(err).toMatch(/^note: no issuer was named/)
    expect(out.trim().split('\n')).toHaveLength(2)
    expect((await standing()).map((each) => each.issuer)).toEqual([issuer, 'urn:portcullis:api-key'])
  })

  it('warns of an issuer that no provider has', async () => {
    const { code, err } = await revoke(`--subject alice --issuer ${issuer}/`)
    expect(code).toBe(0)
    expect(err).toMatch(/no provider of the configuration has the issuer/)
  })

  it.each([
    ['', /say what to revoke/],
    ['--issuer x', /say what to revoke/],
    ['--before 2026-01-01', /say what to revoke/],
    ['--jti a --subject b', /give one of --jti and --subject/],
    ['--subject a --before 2026-01-01', /--before goes with --issuer alone/],
    [`--issuer ${issuer} --before yesterday`, /^--before: must be an RFC 3339 time/],
    [`--issuer ${issuer} --before 2026-01-01 --permanent`, /--permanent does not go/],
    ['--certificate 00', /fingerprint/],
    ['end --subject a', /say whose credentials/],
    [`end --jti a --issuer ${issuer}`, /revoked for good/],
    [`end --subject a --client b --issuer ${issuer}`, /give one of/],
  ])('"%s" is wrong usage', async (args, words) => {
    const { code, err } = await revoke(args)
    expect(code).toBe(2)
    expect(err).toMatch(words)
    expect(await standing()).toEqual([])
  })
})
