import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

/** What is to be confirmed: `id` names exactly what is meant. */
export interface Question {
  readonly what: string;
  readonly id: string;
  /** The argument `confirm` of the call. */
  readonly given: string | undefined;
}

/**
 * Asks the person where the client can do that, whatever the model has given; else the model has to repeat the id, which
 * it is told to do only when the person has agreed. @returns null where it is confirmed, else what to answer
 */
export async function refusalOf({ server }: McpServer, { what, id, given }: Question): Promise<string | null> {
  if (server.getClientCapabilities()?.elicitation) {
    const answer = await server.elicitInput({
      message: `${what}?`,
      requestedSchema: {
        type: 'object',
        properties: { agree: { type: 'boolean', title: what, description: id } },
        required: ['agree'],
      },
    });
    if (answer.action === 'accept' && answer.content?.agree === true) return null;
    return 'The user did not agree, so nothing was changed.';
  }
  if (given === id) return null;
  return `Nothing was changed. ${what}: ask the user, and when they agree call this again with confirm: "${id}".`;
}
