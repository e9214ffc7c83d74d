import type { DeadLetter, Messages } from '../../src/index.ts'
import type { MessagesOptions } from '../../src/messages/deliver.ts'

/** Where messages are under test, with hands that reach below the adapter. */
export interface MessagesUnderTest {
  /** One after another: what is opened twice at once is for those who can share. */
  open(options?: MessagesOptions): Promise<Messages>
  /** All dead letters, oldest first. */
  deadLetters(messages: Messages): Promise<readonly DeadLetter[]>
  stop(): Promise<void>
}

export const never = new AbortController().signal

export const publishText = (messages: Messages, text: string) =>
  messages.publish(Buffer.from(text), never)

export const textOf = ({ value }: { readonly value: Uint8Array }) => Buffer.from(value).toString()
