// node start.js NAME SETTINGS: one peer, on loopback. The settings are JSON: port, upstream, secret, issuer, audience, scope.
import { Agent, createServer } from 'node:http'
import { createVerifier } from './verify.ts'

const [name, text] = process.argv.slice(2)
const settings = JSON.parse(text)
const verify = createVerifier(settings)
const starters = {
  'fast-gateway': startFastGateway,
  'http-proxy-3': startHttpProxy3,
  '@fastify/http-proxy': startFastify,
}
await starters[name]()

async function startFastGateway() {
  const { default: gateway } = await import('fast-gateway')
  const server = gateway({
    routes: [
      {
        prefix: '/catalog',
        prefixRewrite: '/catalog',
        target: settings.upstream,
        middlewares: [
          (request, response, next) => {
            const refusal = admit(request)
            if (refusal === undefined) return next()
            response.statusCode = refusal
            response.end()
          },
        ],
      },
    ],
  })
  await server.start(settings.port, '127.0.0.1')
}

async function startHttpProxy3() {
  const { createProxyServer } = await import('http-proxy-3')
  const agent = new Agent({ keepAlive: true, maxSockets: 2048, maxFreeSockets: 2048 })
  const proxy = createProxyServer({ target: settings.upstream, agent, xfwd: true })
  proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end())
  createServer((request, response) => {
    const refusal = admit(request)
    if (refusal === undefined) proxy.web(request, response)
    else response.writeHead(refusal).end()
  }).listen(settings.port, '127.0.0.1')
}

async function startFastify() {
  const [{ default: fastify }, { default: httpProxy }] = await Promise.all([
    import('fastify'),
    import('@fastify/http-proxy'),
  ])
  const app = fastify({ logger: false })
  app.register(httpProxy, {
    upstream: settings.upstream,
    prefix: '/catalog',
    rewritePrefix: '/catalog',
    preHandler: (request, reply, done) => {
      const refusal = admit(request.raw)
      if (refusal === undefined) done()
      else reply.code(refusal).send()
    },
  })
  await app.listen({ port: settings.port, host: '127.0.0.1' })
}

/** Takes the token out and puts the identity in; @returns the status of a refusal. */
function admit(request) {
  const { headers } = request
  const result = verify(headers.authorization)
  if (typeof result === 'number') return result
  delete headers.authorization
  headers['x-auth-subject'] = result.subject
  headers['x-auth-scopes'] = result.scopes
  return undefined
}
