/** The admin address: health and metrics for whoever reaches it, and the API for operators. */
import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Secret } from '../engine/secret.ts'
import type { Recorder } from '../keys/events.ts'
import type { KeyManager } from '../keys/manager.ts'
import { KeyProblem } from '../keys/problem.ts'
import type { RevocationManager } from '../keys/revocations.ts'
import type { Clock } from '../ports/clock.ts'
import { createFailureLimiter } from './failures.ts'
import { createGuard } from './guard.ts'
import { describeApi } from './openapi.ts'
import type { Operation } from './operation.ts'
import type { AssertionKeyManager } from '../keys/assertion-keys.ts'
import { assertionKeyOperations } from './operations/assertion-keys.ts'
import { auditOperations, type AuditFilter } from './operations/audit.ts'
import { healthOperations, type HealthSources } from './operations/health.ts'
import { keyOperations } from './operations/keys.ts'
import { providerOperations, type ProviderDesk } from './operations/providers.ts'
import { revocationOperations } from './operations/revocations.ts'
import { AdminProblem, adminProblems, problemDocument } from './problem.ts'
import { recordCall, recordRefusal } from './record.ts'

export interface AdminOptions extends HealthSources {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Asked for each request: a reload changes it. Without one there is no API. */
  readonly token: () => Secret | undefined
  readonly clock: Clock
  readonly audit: Recorder
  readonly keys: KeyManager
  readonly revocations: RevocationManager
  readonly assertionKeys: AssertionKeyManager
  readonly providers: ProviderDesk
  /** Undefined while the log, or its index, is off. */
  readonly auditQuery?: (filter: AuditFilter) => Promise<readonly unknown[]>
  /** Told of failures that the caller only learns as `internal_error`. */
  readonly onError: (error: unknown, requestId: string) => void
  /** The product's version, for the description. */
  readonly version: string
}

export interface AdminServer {
  /** `http://host:port`. */
  readonly url: string
  close(): Promise<void>
}

const bodyLimit = 1024 * 1024

export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const server = buildAdmin(options)
  const url = await server.listen({ host: options.host, port: options.port })
  return { url, close: () => server.close() }
}

/** The server without its socket. */
export function buildAdmin(options: AdminOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit,
    genReqId: ({ headers }) => saneId(headers['x-request-id']) ?? randomUUID(),
    requestTimeout: 60_000,
    // An imported key's id may have 128 characters, each of which may come as three.
    routerOptions: { maxParamLength: 384 },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
  })
  server.removeContentTypeParser('text/plain')
  const operations = operationsOf(options)
  const guard = createGuard({ ...options, failures: createFailureLimiter(options.clock) })
  for (const operation of operations) {
    server.route({
      method: operation.method,
      url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      ...(operation.body?.limit === undefined ? {} : { bodyLimit: operation.body.limit }),
      exposeHeadRoute: operation.access === 'open',
      // Before the body is read: a stranger's fifty megabytes are not worth a parse.
      onRequest: async (request) => {
        if (operation.access === 'open') guard.admitOpen(request)
        else guard.admitOperator(request)
      },
      handler: (request, reply) => serve(operation, request, reply, options),
    })
  }
  server.addHook('onSend', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
  })
  server.setNotFoundHandler((request) => {
    throw notFoundProblem(operations, request)
  })
  server.setErrorHandler(async (error, request, reply) => {
    const problem = asProblem(error)
    if (problem.code === 'internal_error') options.onError(error, request.id)
    await recordRefusal(problem, request, options)
    const { status } = adminProblems[problem.code]
    await reply
      .code(status)
      .headers(problem.fields)
      .type('application/problem+json')
      // As bytes: to a string the framework adds a charset, which the type does not have (RFC 9457, section 6.1).
      .send(Buffer.from(JSON.stringify(problemDocument(problem, request.id))))
  })
  return server
}

function operationsOf(options: AdminOptions): readonly Operation[] {
  const operations: Operation[] = [
    ...healthOperations(options),
    ...keyOperations(options.keys),
    ...assertionKeyOperations(options.assertionKeys),
    ...revocationOperations(options.revocations),
    ...auditOperations(options.auditQuery),
    ...providerOperations(options.providers),
  ]
  const description: Operation = {
    id: 'openapi',
    method: 'GET',
    path: '/api/v1/openapi.json',
    tag: 'description',
    summary: 'This description',
    access: 'token',
    answers: { 200: { description: 'An OpenAPI 3.1 document', type: 'application/json' } },
    handle: () => ({ status: 200, body: describeApi(operations, options.version) }),
  }
  operations.push(description)
  return operations
}

async function serve(
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  options: AdminOptions,
): Promise<FastifyReply> {
  const result = await operation.handle({
    parameters: request.params as Readonly<Record<string, string>>,
    query: request.query,
    body: request.body,
    actor: { name: 'admin', clientIp: request.ip, requestId: request.id },
  })
  if (operation.method === 'POST') await recordCall(operation, result.status, request, options)
  reply.code(result.status).headers({ ...result.fields })
  if (result.type !== undefined) return reply.type(result.type).send(result.body)
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(result.body))
}

function notFoundProblem(operations: readonly Operation[], request: FastifyRequest): AdminProblem {
  const [path = ''] = request.url.split('?')
  const methods = operations
    .filter((operation) => new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
    .map(({ method }) => method)
  if (methods.length === 0) return new AdminProblem('route_not_found')
  return new AdminProblem('method_not_allowed', { fields: { allow: [...new Set(methods)].join(', ') } })
}

function asProblem(error: unknown): AdminProblem {
  if (error instanceof AdminProblem) return error
  if (error instanceof KeyProblem) {
    const code = error.kind === 'invalid' ? 'bad_request' : error.kind
    const faults = error.faults.filter(({ path }) => path !== '')
    return new AdminProblem(code, { detail: error.message, faults })
  }
  const { statusCode, code } = error as { readonly statusCode?: number; readonly code?: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AdminProblem('payload_too_large')
  if (statusCode === 415) return new AdminProblem('unsupported_media_type')
  // The framework's own words for a malformed body or address may repeat what was sent.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new AdminProblem('bad_request')
  return new AdminProblem('internal_error')
}

function saneId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(header) ? header : undefined
}
