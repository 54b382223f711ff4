/**
 * Half a head on a stream whose answer cannot leave, and then a reset: node:http2 by itself may end the process when it collects what
 * is left of them, since it counts what the session had been lent before the stream has given it back.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('does not end the process', async () => {
  const script = join(import.meta.dirname, '..', 'support', 'http2-half-heads.ts')
  const child = fork(script, ['kept'], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  expect(await once(child, 'exit')).toEqual([0, null])
})
