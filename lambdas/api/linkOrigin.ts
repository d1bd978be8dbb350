import { z } from 'zod';

const BindingsSchema = z.object({
  requestContext: z.object({ domainName: z.string().optional(), apiId: z.string().optional() }),
});

/**
 * The beginning of links behind API Gateway: the domain name by which the gateway says it was called. The Host header
 * is not used, since the client chooses it. Emulators leave the name out.
 * @param bindings What Hono's Lambda adapter gives to handlers.
 */
export function gatewayOrigin(bindings: unknown): string {
  const { domainName, apiId = 'api' } = BindingsSchema.parse({
    requestContext: {},
    ...(bindings ?? {}),
  }).requestContext;
  return `https://${domainName ?? `${apiId}.execute-api.localhost`}`;
}
