/** The list of event types agrees with the codec, and says what is journalled. */
import { eventTypes, isJournalled, SessionEvent } from '@session-recovery/core'
import { expect, test } from 'vitest'

test('every event type is listed, and only captures are not journalled', () => {
  const types = SessionEvent.members.map((member) => member.required.type.value)
  expect([...eventTypes].sort()).toEqual([...types].sort())
  expect(eventTypes.filter((type) => !isJournalled(type))).toEqual([
    'captureDue',
    'captured',
    'captureFailed',
  ])
})
