import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../ports/store.ts'
import { setClock, type OpenFresh } from './setting.ts'

/** What every keeper of facts must do. */
export function describeMeta(name: string, open: OpenFresh): void {
  describe(`facts in ${name}`, () => {
    let store: Store

    beforeEach(async () => {
      store = await open(setClock())
    })

    afterEach(() => store.close())

    it('keeps a value until another takes its place', async () => {
      expect(await store.meta.get('a')).toBeUndefined()
      await store.meta.set('a', '1')
      await store.meta.set('a', '2')
      expect(await store.meta.get('a')).toBe('2')
    })

    it('lets the first of two win where nobody may overwrite', async () => {
      const answers = await Promise.all([store.meta.setIfAbsent('k', 'x'), store.meta.setIfAbsent('k', 'y')])
      expect(answers).toEqual(['x', 'x'])
      expect(await store.meta.get('k')).toBe('x')
    })
  })
}
