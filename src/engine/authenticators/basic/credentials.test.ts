import { describe, expect, it } from 'vitest'
import { readBasic } from './credentials.ts'

const encode = (text: string): string => Buffer.from(text).toString('base64')

describe('a Basic credential', () => {
  it('is a user name and a password', () => {
    // RFC 7617 section 2.
    expect(readBasic('QWxhZGRpbjpvcGVuIHNlc2FtZQ==')).toEqual({ user: 'Aladdin', password: 'open sesame' })
    expect(readBasic(encode('id:with:colons'))).toEqual({ user: 'id', password: 'with:colons' })
    expect(readBasic(encode('id:'))).toEqual({ user: 'id', password: '' })
    // RFC 7617 section 2.1.
    expect(readBasic('dGVzdDoxMjPCow==')).toEqual({ user: 'test', password: '123£' })
  })

  it.each([
    ['no colon', encode('id')],
    ['no user name', encode(':key')],
    ['a line break', encode('id:key\r\n')],
    ['a NUL', encode('id\0:key')],
    ['a DEL', encode('id:\x7f')],
    ['bytes that are no UTF-8', Buffer.from('id:\xff', 'latin1').toString('base64')],
    ['no padding', encode('id:key1').replace(/=+$/, '')],
    ['too much padding', `${encode('id:key')}====`],
    ['filling bits that are not zero', 'aWQ6a2V5MR=='],
    ['base64url', Buffer.from('id:\u00bf\u00ff\u00ff').toString('base64url')],
    ['a space inside', encode('id:key').replace('a', ' ')],
    ['nothing', ''],
    ['no base64 at all', '!!!!'],
    ['a mebibyte', encode(`id:${'k'.repeat(1 << 20)}`)],
  ])('is none with %s', (_what, value) => {
    expect(readBasic(value)).toBeUndefined()
  })
})
