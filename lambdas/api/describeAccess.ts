import { accessOf } from '../shared/http/access.ts';

interface OperationText {
  description?: string | undefined;
  responses?: Record<string, { readonly description?: string | undefined }> | undefined;
  security?: readonly object[] | undefined;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Adds to every operation of an OpenAPI document what all have in common: the scope that it needs, and the refusals. */
export function describeAccess<D extends { paths?: Record<string, object | undefined> | undefined }>(document: D): D {
  for (const [path, item = {}] of Object.entries(document.paths ?? {}))
    for (const method of METHODS) {
      const operation = (item as Partial<Record<string, OperationText>>)[method];
      // Who may call a hook is decided by its secret.
      if (!operation || operation.security?.length === 0) continue;
      const { scope, wholeOwner } = accessOf(method.toUpperCase(), path);
      const needs = `Needs the scope \`${scope}\`${wholeOwner ? ', of a token that is not limited to projects' : ''}.`;
      operation.description = operation.description ? `${operation.description} ${needs}` : needs;
      // Every operation has this refusal, and all problems look the same.
      const refusal = operation.responses?.[401];
      // What the operation itself names, such as `STORAGE_FULL`.
      const own = operation.responses?.[429]?.description?.split(', ') ?? [];
      operation.responses = {
        ...operation.responses,
        403: { ...refusal, description: '`FORBIDDEN`' },
        429: {
          ...refusal,
          description: [...new Set(['`RATE_LIMITED`', ...own])].join(', '),
        },
      };
    }
  return document;
}
