/** The thread that writes the index behind the log: reading and SQLite's fsyncs must not stop the loop that serves requests. */
import { parentPort, workerData } from 'node:worker_threads'
import { catchUp } from './catch-up.ts'
import { IndexDatabase } from './database.ts'
import type { IndexWorkerData, ToIndexWorker } from './writer.ts'

if (parentPort !== null) serve(parentPort, workerData as IndexWorkerData)

function serve(port: NonNullable<typeof parentPort>, { directory, path }: IndexWorkerData): void {
  const index = IndexDatabase.open(path)
  catchUp(directory, index)
  port.postMessage('done')
  port.on('message', (message: ToIndexWorker) => {
    catchUp(directory, index)
    if (message === 'wake') {
      port.postMessage('done')
    } else {
      index.close()
      port.close()
    }
  })
}
