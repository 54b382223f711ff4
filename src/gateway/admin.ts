import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createKeyManager, type KeyManager } from '../keys/manager.ts'
import type { Built } from './build.ts'
import { healthAnswer } from './endpoints.ts'
import type { Foundation } from './services.ts'

export interface RunningAdmin {
  readonly url: string
  readonly note: string
  readonly keys: KeyManager
  close(): Promise<void>
}

export async function startAdminServer(foundation: Foundation, current: () => Built): Promise<RunningAdmin> {
  const { services, store } = foundation
  const keys = createKeyManager({
    store: store.apiKeys,
    audit: services.audit,
    clock: services.clock,
    configuration: () => current().snapshot.configuration,
  })
  const { admin } = current().snapshot.configuration
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const health = healthAnswer(services.readiness, path.replace('/.portcullis', ''))
    if (health !== undefined) response.writeHead(health.status).end(health.body)
    else if (path === '/metrics') response.end(services.metrics.registry.text())
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(admin.port, admin.host, resolve))
  return {
    url: `http://${admin.host}:${(server.address() as AddressInfo).port}`,
    note: '',
    keys,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
