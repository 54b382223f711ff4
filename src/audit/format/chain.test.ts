import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admitted } from '../testing/log.ts'
import { sealLine } from '../testing/line.ts'
import { follows, genesis, readLink } from './chain.ts'
import { eventMembers } from './event.ts'

const members = eventMembers({ entry: admitted(1), configuration: 'c' }, 'gateway-1').text
const first = sealLine('2026-11-24T16:00:00.000Z', { seq: 0, hash: genesis }, members)

describe('a line of the log', () => {
  it('is JSON with the chain in it', () => {
    expect(JSON.parse(first.line)).toMatchObject({
      seq: 1,
      previousHash: genesis,
      hash: first.end.hash,
      requestId: 'request-1',
    })
  })

  it('has as its hash SHA-256 of its bytes without the hash member', () => {
    const body = first.line.replace(/,"hash":"[0-9a-f]{64}"\}$/, '}')
    expect(hash('sha256', body)).toBe(first.end.hash)
  })

  it('can be checked with common tools', () => {
    const script = `printf %s "$LINE" | sed 's/,"hash":"[0-9a-f]*"}$/}/' | tr -d '\\n' | sha256sum | cut -d' ' -f1`
    const out = execFileSync('sh', ['-c', script], {
      env: { ...process.env, LINE: first.line },
      encoding: 'utf8',
    })
    expect(out.trim()).toBe(first.end.hash)
  })

  it('reads back as the link that it is', () => {
    const link = readLink(Buffer.from(first.line))
    expect(link).toEqual({
      seq: 1,
      time: '2026-11-24T16:00:00.000Z',
      previousHash: genesis,
      hash: first.end.hash,
    })
    const second = sealLine('2026-11-24T16:00:00.001Z', first.end, members)
    expect(follows(first.end, readLink(Buffer.from(second.line))!)).toBe(true)
    expect(follows(second.end, readLink(Buffer.from(second.line))!)).toBe(false)
  })

  it('leaves the buffer that it was read from as it was', () => {
    const bytes = Buffer.from(first.line)
    readLink(bytes)
    expect(bytes.toString()).toBe(first.line)
  })

  it('is no record with any byte changed, taken out or added', () => {
    const bytes = Buffer.from(first.line)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(2), (at, flip, how) => {
        const changed =
          how === 0
            ? bytes.map((byte, index) => (index === at ? byte ^ flip : byte))
            : how === 1
              ? Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
              : Buffer.concat([bytes.subarray(0, at), Buffer.from([flip]), bytes.subarray(at)])
        expect(readLink(Buffer.from(changed))).toBeUndefined()
      }),
    )
  })

  it('is no record when it is something else', () => {
    for (const text of ['', '{}', 'x'.repeat(75), '{"time":"","seq":0}', `{"hash":"${genesis}"}`]) {
      expect(readLink(Buffer.from(text))).toBeUndefined()
    }
  })
})
