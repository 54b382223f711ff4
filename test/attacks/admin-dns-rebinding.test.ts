import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { request } from 'undici'
import { startAdminSetting, type AdminSetting } from '../support/admin-server.ts'

const token = 'the-right-admin-token'

describe('a web page that lets its own name point to the admin address', () => {
  let setting: AdminSetting

  beforeEach(async () => {
    setting = await startAdminSetting(token)
  })

  afterEach(() => setting.server.close())

  async function statusBy(host: string, path: string): Promise<number> {
    const answer = await request(setting.server.url + path, {
      headers: { host, authorization: `Bearer ${token}` },
    })
    await answer.body.dump()
    return answer.statusCode
  }

  it.each([
    'evil.example',
    'evil.example:9901',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '127.0.0.1@evil.example',
    '10.0.0.1',
    '0.0.0.0',
    '[::2]',
    '127.1',
    '2130706433',
  ])('is refused by its name %s, with the right token too, and for metrics too', async (host) => {
    expect(await statusBy(host, '/api/v1/keys')).toBe(421)
    expect(await statusBy(host, '/metrics')).toBe(421)
    expect(setting.events.map(({ reason }) => reason)).toContain('misdirected')
  })

  it.each(['127.0.0.1:9901', 'localhost', 'LOCALHOST:1', '[::1]:9901', '127.0.0.2'])(
    'is not confused with %s',
    async (host) => {
      expect(await statusBy(host, '/api/v1/keys')).toBe(200)
    },
  )
})
