import { z } from 'zod'
import type { RevocationManager } from '../../keys/revocations.ts'
import { endedRevocationSchema, newRevocationSchema } from '../../keys/schemas.ts'
import { parseAs, type Operation } from '../operation.ts'
import { endedView, revocationPageView, revokedView } from '../views.ts'

const pageQuery = z.strictObject({
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
})

export function revocationOperations(revocations: RevocationManager): readonly Operation[] {
  return [
    {
      id: 'listRevocations',
      method: 'GET',
      path: '/api/v1/revocations',
      tag: 'revocations',
      summary: 'Lists the standing revocations, oldest first',
      access: 'token',
      query: pageQuery,
      answers: { 200: { description: 'Revocations', schema: revocationPageView } },
      handle: async ({ query }) => {
        const { offset, limit } = parseAs(pageQuery, query)
        const all = await revocations.list()
        return { status: 200, body: { items: all.slice(offset, offset + limit), total: all.length } }
      },
    },
    {
      id: 'revoke',
      method: 'POST',
      path: '/api/v1/revocations',
      tag: 'revocations',
      summary:
        'Revokes a token, subject, client, session, certificate, or all that an issuer issued until a time',
      access: 'token',
      body: { schema: newRevocationSchema, isRequired: true },
      answers: { 201: { description: 'It holds', schema: revokedView } },
      handle: async ({ body, actor }) => ({
        status: 201,
        body: await revocations.revoke(parseAs(newRevocationSchema, body), actor),
      }),
    },
    {
      id: 'endRevocation',
      method: 'POST',
      path: '/api/v1/revocations/end',
      tag: 'revocations',
      summary: 'Lets what is issued from now on pass again; what was issued before stays refused',
      access: 'token',
      body: { schema: endedRevocationSchema, isRequired: true },
      answers: { 200: { description: 'As they stand now', schema: endedView } },
      handle: async ({ body, actor }) => ({
        status: 200,
        body: { revocations: await revocations.end(parseAs(endedRevocationSchema, body), actor) },
      }),
    },
  ]
}
