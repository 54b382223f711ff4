/** The keys by which backends check assertions. */
import type { OwnEndpoint } from './endpoint.ts'

export const keySet: OwnEndpoint = {
  matches: (path) => path === '/.portcullis/jwks.json',
  methods: ['GET', 'HEAD'],
  answer({ snapshot }) {
    const keys = snapshot.propagation.keySet()
    return keys === undefined
      ? undefined
      : {
          status: 200,
          fields: ['Content-Type', 'application/jwk-set+json', 'Cache-Control', 'public, max-age=300'],
          body: JSON.stringify(keys),
        }
  },
}
