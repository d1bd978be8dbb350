import { VerenError } from '../../../contract/errors.ts';

/** The error for a host or repository that goes over a limit: REPO_TOO_LARGE, which is not retried. */
export const tooLarge = (reason: string): VerenError => new VerenError('REPO_TOO_LARGE', { reason });

/** Counts down; throws REPO_TOO_LARGE when more is spent than there is. */
export class Budget {
  #left: number;
  readonly #reason: string;

  constructor(amount: number, reason: string) {
    this.#left = amount;
    this.#reason = reason;
  }

  spend(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) throw tooLarge(this.#reason);
  }
}
