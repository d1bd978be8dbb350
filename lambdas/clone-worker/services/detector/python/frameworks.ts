/** How a framework's application is served. */
export type Serving = 'asgi' | 'wsgi' | 'program' | 'streamlit';

export interface PythonFramework {
  readonly slug: string;
  /** Name on PyPI. */
  readonly dependency: string;
  readonly serving: Serving;
  /** Name of the class whose object is the application. */
  readonly application?: string;
}

/** Frameworks, the telling ones first: Django projects hold others for their tools, and FastAPI depends on Starlette. */
export const PYTHON_FRAMEWORKS: readonly PythonFramework[] = [
  { slug: 'fastapi', dependency: 'fastapi', serving: 'asgi', application: 'FastAPI' },
  { slug: 'litestar', dependency: 'litestar', serving: 'asgi', application: 'Litestar' },
  { slug: 'quart', dependency: 'quart', serving: 'asgi', application: 'Quart' },
  { slug: 'flask', dependency: 'flask', serving: 'wsgi', application: 'Flask' },
  { slug: 'starlette', dependency: 'starlette', serving: 'asgi', application: 'Starlette' },
  { slug: 'falcon', dependency: 'falcon', serving: 'wsgi', application: 'App' },
  { slug: 'bottle', dependency: 'bottle', serving: 'wsgi', application: 'Bottle' },
  { slug: 'streamlit', dependency: 'streamlit', serving: 'streamlit' },
  { slug: 'sanic', dependency: 'sanic', serving: 'program' },
  { slug: 'aiohttp', dependency: 'aiohttp', serving: 'program' },
  { slug: 'tornado', dependency: 'tornado', serving: 'program' },
];

/** Servers by the name of their program, to know what a start command needs. */
export const PYTHON_SERVERS: ReadonlySet<string> = new Set([
  'uvicorn',
  'gunicorn',
  'hypercorn',
  'daphne',
  'granian',
  'waitress',
]);
