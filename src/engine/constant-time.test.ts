import { describe, expect, it } from 'vitest'
import { isSameSecret } from './constant-time.ts'

describe('comparing secrets', () => {
  it('tells equal from different, whatever the lengths', () => {
    expect(isSameSecret('token', 'token')).toBe(true)
    expect(isSameSecret('', '')).toBe(true)
    for (const other of ['Token', 'token ', 'toke', 'token\0', '', 'tokens'.repeat(1_000)]) {
      expect(isSameSecret(other, 'token')).toBe(false)
    }
  })
})
