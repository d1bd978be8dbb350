import { html, raw } from 'hono/html';

interface Operation {
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content?: Record<string, { schema?: unknown }> };
  responses?: Record<string, { description?: string }>;
}

/** The OpenAPI document as a page for people, without scripts and without anything from other servers. */
export function docsPage(document: object) {
  const { paths = {} } = document as { paths?: Record<string, Record<string, Operation>> };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Veren API</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<h1>Veren API</h1>
<p>Every call but <code>/healthz</code>, <code>/openapi.json</code> and this page needs <code>Authorization: Bearer &lt;token&gt;</code>.
The same as a machine reads it: <a href="/openapi.json">OpenAPI 3.1</a>.</p>
${operations.map(
  ({ path, method, operation }) => html`<section>
<h2><b>${method}</b> <code>${path}</code></h2>
<p>${operation.summary ?? ''}. ${operation.description ?? ''}</p>
${operation.parameters?.length ? html`<p>Parameters: ${operation.parameters.map((p) => html`<code>${p.name}</code> (${p.in}${p.required ? ', required' : ''}) `)}</p>` : ''}
${operation.requestBody ? html`<details><summary>Body</summary><pre>${JSON.stringify(operation.requestBody.content?.['application/json']?.schema, null, 2)}</pre></details>` : ''}
<table>${Object.entries(operation.responses ?? {}).map(([status, r]) => html`<tr><td>${status}</td><td>${r.description ?? ''}</td></tr>`)}</table>
</section>`,
)}
</body></html>`;
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1a1a2e}
h2{font-size:1.05rem;margin:2rem 0 .3rem}h2 b{display:inline-block;min-width:3.5rem;color:#3a5bd9}
pre,code{font-family:ui-monospace,monospace;font-size:.9em}pre{background:#f5f6fa;padding:1rem;overflow:auto;border-radius:6px}
section{border-top:1px solid #e3e5ee}td{padding:.1rem 1rem .1rem 0;vertical-align:top}`;
