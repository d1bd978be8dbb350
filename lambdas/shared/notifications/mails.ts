import type { MailState } from '../../../contract/notifications.ts';

/** One address of a project that is told by e-mail. */
export interface MailPlace {
  readonly projectId: string;
  readonly notificationId: string;
}

export interface Mail {
  /** Printable ASCII in one line, at most `MAX_SUBJECT` characters. */
  readonly subject: string;
  readonly text: string;
}

/** Source: SNS API reference, "Publish": a subject has fewer than 100 characters. */
export const MAX_SUBJECT = 99;

/** E-mail to addresses whose readers have agreed to it. Each throws UNAVAILABLE where it is to be tried again. */
export interface Mails {
  /** Asks the reader of an address. May be repeated. */
  ask(place: MailPlace, address: string): Promise<void>;
  /** Sends to the address, which gets it only if its reader has agreed. False where it was never asked, or is removed. */
  send(place: MailPlace, mail: Mail): Promise<boolean>;
  state(place: MailPlace): Promise<MailState>;
  /** Whoever has the address gets nothing more, and a question that waits is void. May be repeated. */
  remove(place: MailPlace): Promise<void>;
}
