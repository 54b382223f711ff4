// The backend that `portcullis dev` protects: a small catalog that shows, in each answer, whom it was told is calling.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createExaminer } from './caller.ts'
import type { ExaminedCaller } from './caller.ts'
import { catalogPage } from './page.ts'
import { createShelf } from './shelf.ts'
import type { Shelf } from './shelf.ts'
import { streamTicks } from './stream.ts'

/** How to start the catalog. */
export interface CatalogOptions {
  /** Default 0: a free one. */
  readonly port?: number
  /** The gateway's key set, for the assertion; a function if the gateway's port is known only later. */
  readonly gatewayKeySet?: string | (() => string)
  /** The upstream's name in the gateway's configuration, which assertions are made out to. */
  readonly audience: string
  /** The gateway's first public URL, if assertions are to be held to it. */
  readonly issuer?: string
  /** Milliseconds between two events of `/stream`; default 1000. */
  readonly tickEvery?: number
}

/** A running catalog. */
export interface Catalog {
  readonly url: string
  close(): Promise<void>
}

/** Starts the catalog on loopback. */
export async function startCatalog(options: CatalogOptions): Promise<Catalog> {
  const examine = createExaminer({
    keySet: options.gatewayKeySet,
    audience: options.audience,
    issuer: options.issuer,
  })
  const service: Service = {
    shelf: createShelf(),
    tickEvery: options.tickEvery ?? 1000,
    isGuarded: options.gatewayKeySet !== undefined,
  }
  const server = createServer((request, response) => {
    examine(request.headers)
      .then((examined) => answer(service, request, response, examined))
      .catch((error: unknown) => {
        process.emitWarning(error as Error)
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Service {
  readonly shelf: Shelf
  readonly tickEvery: number
  /** Whether there is a key set, and so a way to ask for proof. */
  readonly isGuarded: boolean
}

type Handler = (context: {
  readonly service: Service
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly examined: ExaminedCaller
  readonly id: string
}) => void | Promise<void>

const resources: readonly { readonly path: RegExp; readonly methods: Readonly<Record<string, Handler>> }[] = [
  { path: /^\/$/, methods: { GET: showPage } },
  { path: /^\/healthz$/, methods: { GET: showHealth } },
  { path: /^\/whoami$/, methods: { GET: (context) => reply(context, 200, {}) } },
  { path: /^\/stream$/, methods: { GET: openStream } },
  { path: /^\/items$/, methods: { GET: listItems, POST: addItem } },
  { path: /^\/items\/([^/]+)$/, methods: { GET: showItem, DELETE: removeItem } },
]

async function answer(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  examined: ExaminedCaller,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const context = { service, request, response, examined, id: '' }
  for (const resource of resources) {
    const match = resource.path.exec(path)
    if (match === null) continue
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    const handler = Object.hasOwn(resource.methods, method) ? resource.methods[method] : undefined
    if (handler !== undefined) return handler({ ...context, id: match[1] ?? '' })
    response.setHeader('Allow', Object.keys(resource.methods).join(', '))
    return reply(context, 405, { error: `${request.method} is not for ${path}` })
  }
  return reply(context, 404, { error: `there is no ${path}` })
}

type Context = Parameters<Handler>[0]

function showHealth({ response }: Context): void {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end('{"status":"ok"}')
}

function showPage({ service, request, response, examined }: Context): void {
  const { html, headers } = catalogPage(service.shelf.list(), examined.caller.identity)
  response.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(html) })
  response.end(request.method === 'HEAD' ? undefined : html)
}

function openStream({ service, response, examined }: Context): void {
  streamTicks(response, examined.caller, service.shelf, service.tickEvery)
}

function listItems(context: Context): void {
  reply(context, 200, { items: context.service.shelf.list() })
}

function showItem(context: Context): void {
  const item = context.service.shelf.find(context.id)
  if (item === undefined) reply(context, 404, { error: `there is no item ${context.id}` })
  else reply(context, 200, { item })
}

async function addItem(context: Context): Promise<void> {
  if (!mayWrite(context)) return
  const outcome = context.service.shelf.add(await readBody(context.request), context.examined.proven?.sub)
  if ('problem' in outcome) {
    reply(context, outcome.status, { error: outcome.problem })
    return
  }
  // Relative, since only the gateway knows under which path a client sees this service.
  context.response.setHeader('Location', `items/${outcome.item.id}`)
  reply(context, 201, { item: outcome.item })
}

function removeItem(context: Context): void {
  if (!mayWrite(context)) return
  const removed = context.service.shelf.remove(context.id)
  if (removed === undefined) reply(context, 404, { error: `there is no item ${context.id}` })
  else reply(context, 200, { removed })
}

/** Changes need the gateway's signature: a request that went around the gateway can write any `X-Auth-*` field. */
function mayWrite(context: Context): boolean {
  if (!context.service.isGuarded || context.examined.proven !== undefined) return true
  reply(context, 403, { error: 'changes are taken through the gateway only' })
  return false
}

function reply({ request, response, examined }: Context, status: number, body: object): void {
  const text = `${JSON.stringify({ ...body, ...examined.caller }, undefined, 2)}\n`
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

const maximumBody = 64 * 1024

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= maximumBody) chunks.push(chunk)
  }
  return size > maximumBody ? undefined : Buffer.concat(chunks).toString('utf8')
}
