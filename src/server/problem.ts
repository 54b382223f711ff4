/** Where a refusal becomes an answer: a problem document, a page for a person, or gRPC's own form. */
import { publicCodes, type PublicCode } from '../engine/errors.ts'
import type { Refusal } from '../engine/outcome.ts'
import type { Answer, FieldLines } from '../exchange.ts'
import { isNavigation, type AudienceFacts } from './navigation.ts'
import { pagePolicy, renderPage } from './page.ts'

export interface RefusalContext extends AudienceFacts {
  readonly requestId: string
  /** The request's `Content-Type`. */
  readonly contentType?: string | undefined
  /** RFC 9457 `instance`, where there is something to point at. */
  readonly instance?: string | undefined
  /** Field lines that every answer of the route carries (CORS, RateLimit). */
  readonly extraFields?: FieldLines | undefined
}

/** What `type` begins with in a problem document: a name, not an address, so that nothing is fetched to understand it. */
export const problemTypePrefix = 'urn:portcullis:error:'

/**
 * Says the public code and its fixed words only: the refusal's reason and detail are for the operator.
 *
 * @see RFC 9457
 */
export function renderRefusal(refusal: Refusal, context: RefusalContext): Answer {
  if (refusal.redirect !== undefined) {
    const fields = withFacts(['Location', refusal.redirect], refusal, context)
    return { status: 302, fields, body: '' }
  }
  if (context.contentType !== undefined && isGrpc(context.contentType)) return grpcAnswer(refusal, context)
  const { title, detail } = publicCodes[refusal.code]
  const facts = { title, status: refusal.status, detail, code: refusal.code, requestId: context.requestId }
  if (isNavigation(context)) {
    const fields = ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', pagePolicy]
    const body = renderPage({ ...facts, advice: refusal.advice })
    return { status: refusal.status, fields: withFacts(fields, refusal, context), body }
  }
  const document = {
    type: `${problemTypePrefix}${refusal.code}`,
    ...facts,
    ...(context.instance === undefined ? {} : { instance: context.instance }),
  }
  return {
    status: refusal.status,
    fields: withFacts(['Content-Type', 'application/problem+json'], refusal, context),
    body: `${JSON.stringify(document)}\n`,
  }
}

function withFacts(fields: string[], refusal: Refusal, context: RefusalContext): FieldLines {
  fields.push(
    'X-Request-Id',
    context.requestId,
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
  )
  for (const challenge of refusal.challenges ?? []) fields.push('WWW-Authenticate', challenge)
  if (refusal.retryAfter !== undefined)
    fields.push('Retry-After', String(Math.max(0, Math.ceil(refusal.retryAfter))))
  if (refusal.allow !== undefined) fields.push('Allow', refusal.allow.join(', '))
  if (context.extraFields !== undefined) fields.push(...context.extraFields)
  return fields
}

/** `application/grpc` and `application/grpc+proto`, but not gRPC-Web, whose trailers travel in the body. */
export function isGrpc(contentType: string): boolean {
  return /^application\/grpc(?:\+[^;]*)?\s*(?:;|$)/i.test(contentType)
}

/** Trailers-only: the status of the call travels in the head. See "Responses" in gRPC over HTTP/2. */
function grpcAnswer(refusal: Refusal, context: RefusalContext): Answer {
  const fields = ['Content-Type', 'application/grpc', ...grpcStatusFields(refusal)]
  return { status: 200, fields: withFacts(fields, refusal, context), body: '' }
}

/** How a refusal ends a gRPC call: in the head, or behind an answer that is cut. */
export function grpcStatusFields(refusal: Refusal): string[] {
  const { detail } = publicCodes[refusal.code]
  const message = `${refusal.code}: ${detail}`.replaceAll('%', '%25')
  return ['grpc-status', String(grpcStatusOf(refusal)), 'grpc-message', message]
}

const grpcStatuses: Readonly<Partial<Record<PublicCode, number>>> = {
  bad_request: 3,
  credential_ambiguous: 3,
  route_not_found: 12,
  method_not_allowed: 12,
  request_timeout: 4,
  payload_too_large: 8,
  uri_too_long: 8,
  headers_too_large: 8,
  internal_error: 13,
}

function grpcStatusOf(refusal: Refusal): number {
  const fixed = grpcStatuses[refusal.code]
  if (fixed !== undefined) return fixed
  switch (refusal.status) {
    case 401:
      return 16
    case 403:
      return 7
    case 429:
      return 8
    default:
      return refusal.status >= 500 ? 14 : 3
  }
}
