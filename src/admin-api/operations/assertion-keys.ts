import type { AssertionKeyManager } from '../../keys/assertion-keys.ts'
import { assertionKeyRotationSchema } from '../../keys/schemas.ts'
import { parseAs, type Operation } from '../operation.ts'
import { assertionKeyPageView } from '../views.ts'

export function assertionKeyOperations(keys: AssertionKeyManager): readonly Operation[] {
  return [
    {
      id: 'listAssertionKeys',
      method: 'GET',
      path: '/api/v1/assertion-keys',
      tag: 'keys',
      summary: 'Lists the keys that assertions are signed with, oldest first',
      access: 'token',
      answers: { 200: { description: 'The keys that stand', schema: assertionKeyPageView } },
      handle: async () => ({ status: 200, body: { items: await keys.list() } }),
    },
    {
      id: 'rotateAssertionKey',
      method: 'POST',
      path: '/api/v1/assertion-keys/rotate',
      tag: 'keys',
      summary: 'Replaces the key that assertions are signed with ahead of the schedule',
      access: 'token',
      body: { schema: assertionKeyRotationSchema, isRequired: false },
      answers: { 201: { description: 'The keys that stand now', schema: assertionKeyPageView } },
      handle: async ({ body, actor }) => {
        const input = parseAs(assertionKeyRotationSchema, body ?? {})
        return { status: 201, body: { items: await keys.rotate(input, actor) } }
      },
    },
  ]
}
