import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../ports/audit-log.ts'
import type { Store } from '../../ports/store.ts'
import { setClock, type OpenFresh } from './setting.ts'

const entry = (detail: string): AuditEntry => ({
  time: 1,
  type: 'credential',
  outcome: 'record',
  detail,
  data: { change: 'created', keyId: 'a', nested: [1, 'two', true] },
})

/** What every outbox must do. */
export function describeOutbox(name: string, open: OpenFresh): void {
  describe(`the outbox in ${name}`, () => {
    let store: Store

    beforeEach(async () => {
      store = await open(setClock())
    })

    afterEach(() => store.close())

    const drained = async (limit = 10): Promise<AuditEntry[]> => {
      const got: AuditEntry[] = []
      await store.outbox.drain(limit, (each) => {
        got.push(each)
        return undefined
      })
      return got
    }

    it('hands entries over once, whole and in order', async () => {
      await store.outbox.put([entry('a'), entry('b')])
      await store.outbox.put([entry('c')])
      expect(await drained()).toEqual([entry('a'), entry('b'), entry('c')])
      expect(await drained()).toEqual([])
    })

    it('hands over no more than the limit', async () => {
      await store.outbox.put([entry('a'), entry('b'), entry('c')])
      expect(await drained(2)).toHaveLength(2)
      expect((await drained(2)).map(({ detail }) => detail)).toEqual(['c'])
    })

    it('keeps what could not be delivered, and only that', async () => {
      await store.outbox.put([entry('a'), entry('b'), entry('c')])
      const deliver = async (each: AuditEntry): Promise<void> => {
        if (each.detail === 'b') throw new Error('the disk is full')
      }
      await expect(store.outbox.drain(10, deliver)).rejects.toThrow('the disk is full')
      expect((await drained()).map(({ detail }) => detail)).toEqual(['b', 'c'])
    })

    it('never hands one entry to two at once', async () => {
      await store.outbox.put(Array.from({ length: 20 }, (_, index) => entry(String(index))))
      const got: string[] = []
      const deliver = async (each: AuditEntry): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve))
        got.push(each.detail ?? '')
      }
      const counts = await Promise.all([store.outbox.drain(15, deliver), store.outbox.drain(15, deliver)])
      expect(counts[0] + counts[1]).toBe(20)
      expect(new Set(got).size).toBe(20)
    })
  })
}
