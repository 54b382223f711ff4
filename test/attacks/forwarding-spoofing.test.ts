/** A client that says where it comes from: what a backend reads of it must be what the gateway knows. */
import { describe, expect, it } from 'vitest'
import { plan, valuesOf, type Sent } from '../support/planning.ts'

/** All that a backend could take for the client's address. */
function addresses(sent: Sent, family: 'x-forwarded' | 'rfc7239' = 'x-forwarded'): string {
  const { fields } = plan({ settings: { forwarded: family } }, sent)
  return fields.join('\n')
}

const lies = [
  'X-Forwarded-For',
  '6.6.6.6',
  'X_Forwarded_For',
  '6.6.6.6',
  'x-forwarded-for',
  '6.6.6.6, 192.0.2.1',
  'Forwarded',
  'for=6.6.6.6;host=6.6.6.6;proto=https',
  'X-Real-IP',
  '6.6.6.6',
  'X-Forwarded-Host',
  '6.6.6.6',
  'X-Forwarded-Proto',
  '6.6.6.6',
  'X-Forwarded-Port',
  '6.6.6.6',
  'X-Forwarded-Server',
  '6.6.6.6',
]

describe('a client that lies about its address', () => {
  it('is not believed by any name, nor in either family', () => {
    expect(addresses({ fields: lies })).not.toContain('6.6.6.6')
    expect(addresses({ fields: lies }, 'rfc7239')).not.toContain('6.6.6.6')
  })

  it('is not believed through a trusted proxy that appends', () => {
    const fields = ['X-Forwarded-For', '6.6.6.6, 7.7.7.7, 203.0.113.9', 'Forwarded', 'for=6.6.6.6']
    const sent = { fields, peer: '10.0.0.1', clientIp: '203.0.113.9' }
    expect(addresses(sent)).not.toMatch(/6\.6\.6\.6|7\.7\.7\.7/)
    expect(valuesOf(plan({}, sent), 'x-forwarded-for')).toEqual(['203.0.113.9, 10.0.0.1'])
  })

  it('is not believed by writing its own address into the list once more', () => {
    const fields = ['X-Forwarded-For', '203.0.113.9, 6.6.6.6, 203.0.113.9, 10.0.0.2']
    const forwarded = plan({}, { fields, peer: '10.0.0.1', clientIp: '203.0.113.9' })
    expect(valuesOf(forwarded, 'x-forwarded-for')).toEqual(['203.0.113.9, 10.0.0.2, 10.0.0.1'])
  })

  it('cannot smuggle a node in quotes', () => {
    const fields = ['Forwarded', 'for=203.0.113.9;by="x, for=6.6.6.6", for=10.0.0.2;host="for=7.7.7.7"']
    const sent = { fields, peer: '10.0.0.1', clientIp: '203.0.113.9' }
    expect(addresses(sent, 'rfc7239')).not.toMatch(/6\.6\.6\.6|7\.7\.7\.7/)
    expect(valuesOf(plan({ settings: { forwarded: 'rfc7239' } }, sent), 'x-forwarded-for')).toEqual([
      '203.0.113.9, 10.0.0.2, 10.0.0.1',
    ])
  })

  it('cannot put anything but addresses between itself and the proxy', () => {
    const fields = ['X-Forwarded-For', '203.0.113.9, evil;proto=http, 10.0.0.2']
    const forwarded = plan({}, { fields, peer: '10.0.0.1', clientIp: '203.0.113.9' })
    expect(valuesOf(forwarded, 'x-forwarded-for')).toEqual(['203.0.113.9, 10.0.0.1'])
  })
})
