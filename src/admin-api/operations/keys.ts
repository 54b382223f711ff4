import { z } from 'zod'
import type { KeyManager } from '../../keys/manager.ts'
import {
  importedKeySchema,
  keyReleaseSchema,
  keyRevocationSchema,
  newKeySchema,
  rotationSchema,
} from '../../keys/schemas.ts'
import { parseAs, type Operation } from '../operation.ts'
import { createdKeyView, importedView, keyPageView, keyView, rotatedKeyView } from '../views.ts'

const pageQuery = z.strictObject({
  after: z.string().optional().describe('The last id of the page before.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  owner: z.string().optional(),
})

export function keyOperations(keys: KeyManager): readonly Operation[] {
  return [
    {
      id: 'listKeys',
      method: 'GET',
      path: '/api/v1/keys',
      tag: 'keys',
      summary: 'Lists API keys in order of creation',
      access: 'token',
      query: pageQuery,
      answers: { 200: { description: 'A page of keys', schema: keyPageView } },
      handle: async ({ query }) => {
        const { after, limit, owner } = parseAs(pageQuery, query)
        if (after !== undefined) await keys.show(after)
        const page = await keys.list({
          limit,
          ...(after === undefined ? {} : { after }),
          ...(owner === undefined ? {} : { owner }),
        })
        const body = { items: page.keys, ...(page.next === undefined ? {} : { next: page.next }) }
        return { status: 200, body }
      },
    },
    {
      id: 'createKey',
      method: 'POST',
      path: '/api/v1/keys',
      tag: 'keys',
      summary: 'Makes an API key; the answer is the only time that the key is shown',
      access: 'token',
      body: { schema: newKeySchema, isRequired: true },
      answers: { 201: { description: 'The key', schema: createdKeyView } },
      handle: async ({ body, actor }) => {
        const created = await keys.create(parseAs(newKeySchema, body), actor)
        return { status: 201, body: created, fields: { location: addressOf(created.id) } }
      },
    },
    {
      id: 'importKeys',
      method: 'POST',
      path: '/api/v1/keys/import',
      tag: 'keys',
      summary: 'Takes in keys that others made: all of the list or none',
      access: 'token',
      body: { schema: z.array(importedKeySchema), isRequired: true, limit: 50 * 1024 * 1024 },
      answers: { 201: { description: 'All were imported', schema: importedView } },
      handle: async ({ body, actor }) => ({ status: 201, body: await keys.import(body, actor) }),
    },
    {
      id: 'showKey',
      method: 'GET',
      path: '/api/v1/keys/{id}',
      tag: 'keys',
      summary: 'Shows an API key, without what proves it',
      access: 'token',
      answers: { 200: { description: 'The key', schema: keyView } },
      handle: async ({ parameters }) => ({ status: 200, body: await keys.show(parameters['id'] ?? '') }),
    },
    {
      id: 'rotateKey',
      method: 'POST',
      path: '/api/v1/keys/{id}/rotate',
      tag: 'keys',
      summary: 'Makes a successor and lets the old key live for a grace',
      access: 'token',
      body: { schema: rotationSchema, isRequired: false },
      answers: { 201: { description: 'The successor', schema: rotatedKeyView } },
      handle: async ({ parameters, body, actor }) => {
        const rotation = parseAs(rotationSchema, body ?? {})
        const rotated = await keys.rotate(parameters['id'] ?? '', rotation, actor)
        return { status: 201, body: rotated, fields: { location: addressOf(rotated.id) } }
      },
    },
    {
      id: 'revokeKey',
      method: 'POST',
      path: '/api/v1/keys/{id}/revoke',
      tag: 'keys',
      summary: 'Revokes an API key at once',
      access: 'token',
      body: { schema: keyRevocationSchema, isRequired: false },
      answers: { 200: { description: 'The revoked key', schema: keyView } },
      handle: async ({ parameters, body, actor }) => {
        const { reason } = parseAs(keyRevocationSchema, body ?? {})
        return { status: 200, body: await keys.revoke(parameters['id'] ?? '', reason, actor) }
      },
    },
    {
      id: 'releaseKey',
      method: 'POST',
      path: '/api/v1/keys/{id}/release',
      tag: 'keys',
      summary: 'Ends the quarantine of an API key that was found in public',
      access: 'token',
      body: { schema: keyReleaseSchema, isRequired: false },
      answers: { 200: { description: 'The key, good from everywhere again', schema: keyView } },
      handle: async ({ parameters, body, actor }) => {
        const { reason } = parseAs(keyReleaseSchema, body ?? {})
        return { status: 200, body: await keys.release(parameters['id'] ?? '', reason, actor) }
      },
    },
  ]
}

function addressOf(id: string): string {
  return `/api/v1/keys/${encodeURIComponent(id)}`
}
