import { describeApiKeys } from '../contract/api-keys.ts'
import { describeExpiryNotices } from '../contract/expiry-notices.ts'
import { describeMeta } from '../contract/meta.ts'
import { describeOutbox } from '../contract/outbox.ts'
import { describeRevocations } from '../contract/revocations.ts'
import { describeSessions } from '../contract/sessions.ts'
import type { OpenFresh } from '../contract/setting.ts'
import { openStore } from '../open.ts'

const open: OpenFresh = (clock) => openStore(':memory:', { clock })

describeApiKeys('memory', open)
describeExpiryNotices('memory', open)
describeRevocations('memory', open)
describeOutbox('memory', open)
describeSessions('memory', open)
describeMeta('memory', open)
