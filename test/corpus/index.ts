/** The whole corpus, by technique. */
import { teTe, smugglerMutations } from './requests/coding-obfuscation.ts'
import { clZero, teZero, zeroCl } from './requests/bodies-ignored.ts'
import { chunkEnds, chunkExtensions, chunkSizes, trailers } from './requests/chunks.ts'
import { expectations, pauses, queues, upgrades } from './requests/expectations.ts'
import { connection, names, sizes, values } from './requests/fields.ts'
import { hosts } from './requests/hosts.ts'
import { clCl, clTe, disguised, lengths, teCl } from './requests/length-and-coding.ts'
import { ahead, bareCr, bareLf, folding } from './requests/line-ends.ts'
import {
  absoluteForm,
  methods,
  oldVersions,
  requestLines,
  targets,
  versions,
} from './requests/request-line.ts'
import type { Family, RequestCase } from './request-case.ts'
import type { ResponseCase } from './response-case.ts'
import { answerChunks, ends, surplus } from './responses/bodies.ts'
import { injection, interims, lengthAndCoding, statusLines } from './responses/heads.ts'

export const requestFamilies: readonly Family<RequestCase>[] = [
  [clTe, teCl, clCl, lengths, disguised, teTe, smugglerMutations],
  [clZero, zeroCl, teZero, chunkSizes, chunkEnds, chunkExtensions, trailers],
  [bareLf, bareCr, folding, ahead, names, values, connection, sizes],
  [requestLines, versions, methods, targets, absoluteForm, oldVersions, hosts],
  [expectations, upgrades, pauses, queues],
].flat()

export const responseFamilies: readonly Family<ResponseCase>[] = [
  lengthAndCoding,
  injection,
  statusLines,
  interims,
  answerChunks,
  surplus,
  ends,
]
