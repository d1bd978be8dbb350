import { z } from 'zod';

const BindingsSchema = z.object({
  requestContext: z.object({ domainName: z.string().optional(), apiId: z.string().optional() }),
});

/**
 * What links begin with behind API Gateway: the domain name that the gateway states it was called by. The Host header is
 * the client's and has no say. Emulators leave the name out.
 * @param bindings What Hono's Lambda adapter gives to handlers.
 */
export function gatewayOrigin(bindings: unknown): string {
  const { domainName, apiId = 'api' } = BindingsSchema.parse({
    requestContext: {},
    ...(bindings ?? {}),
  }).requestContext;
  return `https://${domainName ?? `${apiId}.execute-api.localhost`}`;
}
