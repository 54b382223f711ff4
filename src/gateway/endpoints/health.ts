/** `livez` and `readyz`, bare of detail: also what a request of HTTP/1.0 without Host may reach. */
import type { Answer } from '../../exchange.ts'
import type { Services } from '../snapshot.ts'
import type { OwnEndpoint } from './endpoint.ts'

const text = ['Content-Type', 'text/plain; charset=utf-8'] as const
const prefix = '/.portcullis'

export const health: OwnEndpoint = {
  matches: (path) => path === `${prefix}/livez` || path === `${prefix}/readyz`,
  methods: ['GET', 'HEAD'],
  answer: ({ request, snapshot }) =>
    healthAnswer(snapshot.services.readiness, request.path.slice(prefix.length)),
}

export function healthAnswer(readiness: Services['readiness'], path: string): Answer | undefined {
  if (path === '/livez') return { status: 200, fields: text, body: 'alive\n' }
  if (path !== '/readyz') return undefined
  const state = readiness()
  return { status: state === 'ready' ? 200 : 503, fields: text, body: `${state}\n` }
}
