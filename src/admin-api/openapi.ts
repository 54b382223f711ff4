/** The OpenAPI 3.1 document, made from the table that the server serves: neither can have what the other lacks. */
import { z } from 'zod'
import {
  assertionKeyRotationSchema,
  endedRevocationSchema,
  importedKeySchema,
  keyReleaseSchema,
  keyRevocationSchema,
  newKeySchema,
  newRevocationSchema,
  rotationSchema,
} from '../keys/schemas.ts'
import type { AnswerDescription, Operation } from './operation.ts'
import { adminProblems } from './problem.ts'
import {
  assertionKeyPageView,
  assertionKeyView,
  auditPageView,
  createdKeyView,
  endedView,
  healthView,
  importedView,
  keyPageView,
  keyView,
  problemView,
  providerPageView,
  providerView,
  revocationPageView,
  revocationView,
  revokedView,
  rotatedKeyView,
} from './views.ts'

type Json = Readonly<Record<string, unknown>>

const names: readonly (readonly [string, z.ZodType])[] = [
  ['NewKey', newKeySchema],
  ['ImportedKey', importedKeySchema],
  ['Rotation', rotationSchema],
  ['KeyRevocation', keyRevocationSchema],
  ['KeyRelease', keyReleaseSchema],
  ['NewRevocation', newRevocationSchema],
  ['EndedRevocation', endedRevocationSchema],
  ['Key', keyView],
  ['CreatedKey', createdKeyView],
  ['RotatedKey', rotatedKeyView],
  ['KeyPage', keyPageView],
  ['ImportedKeys', importedView],
  ['AssertionKeyRotation', assertionKeyRotationSchema],
  ['AssertionKey', assertionKeyView],
  ['AssertionKeys', assertionKeyPageView],
  ['Revocation', revocationView],
  ['Revoked', revokedView],
  ['EndedRevocations', endedView],
  ['RevocationPage', revocationPageView],
  ['AuditPage', auditPageView],
  ['Provider', providerView],
  ['ProviderPage', providerPageView],
  ['Health', healthView],
  ['Problem', problemView],
]

/** @see https://spec.openapis.org/oas/v3.1.1 */
export function describeApi(operations: readonly Operation[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of operations) {
    const path = (paths[operation.path] ??= {})
    path[operation.method.toLowerCase()] = describeOperation(operation)
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Portcullis admin API',
      version,
      description: 'Keys, revocations, audit and providers of a running gateway.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: namedSchemas(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: '`admin.token`' } },
      responses: {
        Refusal: {
          description: 'Refused; `code` says why',
          content: { 'application/problem+json': { schema: referenceTo('Problem') } },
        },
      },
    },
  }
}

function describeOperation(operation: Operation): Json {
  const { id, summary, tag, access, body } = operation
  const parameters = [...pathParameters(operation.path), ...queryParameters(operation.query)]
  return {
    operationId: id,
    summary,
    tags: [tag],
    security: access === 'token' ? [{ token: [] }] : [],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.isRequired,
            content: { 'application/json': { schema: schemaOf(body.schema) } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, answer]) => [status, describeAnswer(answer)]),
      ),
      ...Object.fromEntries(
        refusalsOf(operation).map((status) => [status, { $ref: '#/components/responses/Refusal' }]),
      ),
    },
  }
}

/** What an operation may answer besides; its own answers win. */
function refusalsOf({ access, method, body, path, query, answers }: Operation): readonly string[] {
  const statuses = new Set<number>()
  if (access === 'token') for (const status of [401, 403, 421, 429]) statuses.add(status)
  if (body !== undefined || query !== undefined) statuses.add(400)
  if (body !== undefined) for (const status of [413, 415]) statuses.add(status)
  if (path.includes('{')) statuses.add(404)
  if (method === 'POST' && path.includes('/keys')) statuses.add(409)
  statuses.add(adminProblems.internal_error.status)
  if (access === 'token') statuses.add(adminProblems.dependency_unavailable.status)
  return [...statuses].filter((status) => !(status in answers)).map(String)
}

function describeAnswer({ description, schema, type }: AnswerDescription): Json {
  const content =
    schema === undefined
      ? { [type ?? 'text/plain']: { schema: { type: 'string' } } }
      : { 'application/json': { schema: schemaOf(schema) } }
  return { description, content }
}

function pathParameters(path: string): readonly Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodObject | undefined): readonly Json[] {
  if (query === undefined) return []
  const described = z.toJSONSchema(query, { io: 'input' }) as {
    properties?: Record<string, { description?: string }>
  }
  return Object.entries(described.properties ?? {}).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(description === undefined ? {} : { description }),
    schema,
  }))
}

function schemaOf(schema: z.ZodType): Json {
  const name = nameOf(schema)
  if (name !== undefined) return referenceTo(name)
  if (schema instanceof z.ZodArray) return { type: 'array', items: schemaOf(schema.element as z.ZodType) }
  return withoutMarks(z.toJSONSchema(schema) as Json)
}

function nameOf(schema: z.ZodType): string | undefined {
  return names.find(([, each]) => each === schema)?.[0]
}

function referenceTo(name: string): Json {
  return { $ref: `#/components/schemas/${name}` }
}

function namedSchemas(): Json {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of names) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: 'input' })
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutMarks(schema as Json)]))
}

function withoutMarks(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$schema' && name !== '$id'))
}
