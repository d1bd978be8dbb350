import { randomBytes } from 'node:crypto';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

/** What is to be confirmed. */
export interface Question {
  /** Names what is done with what, so that the person knows what they agree to. */
  readonly what: string;
  /** All that the call does: the consent is for exactly this. */
  readonly bound: readonly unknown[];
  /** The argument `confirm` of the call. */
  readonly given: string | undefined;
}

/** Codes that wait for their use; whoever asks for more loses the oldest. */
const MAX_CODES = 20;

/** Asks for consent: one of it for each server, since a code is good for the one that has told it. */
export class Consent {
  readonly #server: McpServer['server'];
  /** What each code is good for. */
  readonly #codes = new Map<string, string>();

  constructor({ server }: McpServer) {
    this.#server = server;
  }

  /**
   * Asks the person where the client can do that, whatever the model has given; else the model has to repeat a code that
   * it cannot know before, and is told to do that only when the person has agreed. A code is good for the same call, once.
   * @returns null where it is confirmed, else what to answer
   */
  async refusalOf({ what, bound, given }: Question): Promise<string | null> {
    if (this.#server.getClientCapabilities()?.elicitation) {
      const answer = await this.#server.elicitInput({
        message: `${what}?`,
        requestedSchema: {
          type: 'object',
          properties: { agree: { type: 'boolean', title: what } },
          required: ['agree'],
        },
      });
      if (answer.action === 'accept' && answer.content?.agree === true) return null;
      return 'The user did not agree, so nothing was changed.';
    }
    const call = JSON.stringify(bound);
    const isAgreed = given !== undefined && this.#codes.get(given) === call;
    if (given !== undefined) this.#codes.delete(given);
    if (isAgreed) return null;
    const code = randomBytes(6).toString('hex');
    this.#codes.set(code, call);
    const [oldest] = this.#codes.keys();
    if (this.#codes.size > MAX_CODES && oldest !== undefined) this.#codes.delete(oldest);
    return `Nothing was changed. Show the user exactly this, and ask whether they agree: ${what}. Only when they have agreed, call this again with the same arguments and confirm: "${code}", which is good once.`;
  }
}
