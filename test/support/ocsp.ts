/** OCSP answers from openssl's responder, as operators fetch them into a file. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Made } from './pki.ts'

export interface AnswerWish {
  readonly issuer: Made
  readonly about: Made
  readonly isRevoked?: boolean
  /** Minutes until the next one. */
  readonly minutes?: number
  /** Without one, the answer carries the nonce of the question. */
  readonly withoutNonce?: boolean
  /** Who signs; without it, the issuer. */
  readonly signer?: Made
}

/** @returns DER */
export function ocspAnswer(wish: AnswerWish): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-ocsp-answer-'))
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const { issuer, about, signer = issuer } = wish
  const serial = about.serial.toString('hex').toUpperCase()
  const status = wish.isRevoked === true ? 'R\t991231235959Z\t260101000000Z' : 'V\t991231235959Z\t'
  const authority = put('ca.pem', issuer.pem)
  try {
    execFileSync(
      'openssl',
      [
        ['ocsp', '-index', put('index.txt', `${status}\t${serial}\tunknown\t/CN=x\n`)],
        ['-issuer', authority, '-cert', put('leaf.pem', about.pem)],
        [
          '-rsigner',
          put('signer.pem', signer.pem),
          '-rkey',
          put('signer.key', signer.keyPem),
          '-CA',
          authority,
        ],
        ['-nmin', String(wish.minutes ?? 60), '-respout', join(folder, 'answer.der')],
        wish.withoutNonce === true ? ['-no_nonce'] : [],
      ].flat(),
      { stdio: 'ignore' },
    )
    return readFileSync(join(folder, 'answer.der'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
