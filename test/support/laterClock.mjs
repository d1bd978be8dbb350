import { OutgoingMessage } from 'node:http';

/** Loaded before a platform (`node --import`): for it so many days have passed as LATER_DAYS says. */
const ahead = Number(process.env.LATER_DAYS) * 24 * 3_600_000;
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + ahead);
    else super(...given);
  }

  static now() {
    return RealDate.now() + ahead;
  }
};

// Node writes the real time into answers, and the SDK would set its own clock by it.
Object.defineProperty(OutgoingMessage.prototype, 'sendDate', { get: () => false, set: () => undefined });
