/** The corpus of raw-byte cases as the fuzzer's first inputs. */
import { requestFamilies, responseFamilies } from '../corpus/index.ts'
import type { Input } from './reading.ts'

const longest = 8192

export function corpusInputs(): Input[] {
  const requests = requestFamilies.flatMap(({ cases }) =>
    cases.map(({ parts }): Input => ({
      side: 'request',
      bytes: parts.join(''),
      method: 'GET',
      isEnded: false,
    })),
  )
  const responses = responseFamilies.flatMap(({ cases }) =>
    cases.map(({ parts, method, then }): Input => ({
      side: 'response',
      bytes: parts.join(''),
      method,
      isEnded: then === 'ends',
    })),
  )
  return [...requests, ...responses].filter(({ bytes }) => bytes.length <= longest)
}
