import { describe, expect, it } from 'vitest'
import { readDictionary, readItem, readList } from './structured-fields.ts'

describe('a structured field', () => {
  it('is read', () => {
    expect([...readDictionary('a=("x;y" "z,w";k=1);m=2, b=:AA==:')!.keys()]).toEqual(['a', 'b'])
    expect(readList('1, "a;b,c";d')).toHaveLength(2)
    expect(readItem('"a\\";\\\\";b')![1].size).toBe(1)
  })

  it.each(['', 'a=1, a=2', 'a=1;b=1;b=2', 'a=(x;k=1;k=2)', 'a=1,', 'a=(x', 'A=1', 'a="\u00e9"'])(
    'is no dictionary: %s',
    (text) => {
      expect(readDictionary(text)).toBeUndefined()
    },
  )

  it.each(['', '1, 2;a;a', '1 2'])('is no list: %s', (text) => {
    expect(readList(text)).toBeUndefined()
  })

  it.each(['', '1;a=1;a=1', '1, 2'])('is no item: %s', (text) => {
    expect(readItem(text)).toBeUndefined()
  })
})
