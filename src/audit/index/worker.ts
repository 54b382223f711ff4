/** The thread that makes the index of old segments where it is missing: reading them must not stop the loop that serves requests. */
import { workerData } from 'node:worker_threads'
import type { Segment } from '../format/segments.ts'
import { rebuildSegment } from './rebuild.ts'

for (const segment of workerData as readonly Segment[]) rebuildSegment(segment)
