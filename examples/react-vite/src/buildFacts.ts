/** Variables with the VITE_ prefix are compiled in; they come from "env" of the deployment, and each may be absent. */
const { VITE_COMMIT, VITE_DEPLOYMENT_ID, VITE_GREETING, MODE } = import.meta.env;

const facts: { name: string; value: string | undefined }[] = [
  { name: 'Mode', value: MODE },
  { name: 'Commit', value: VITE_COMMIT },
  { name: 'Deployment', value: VITE_DEPLOYMENT_ID },
  { name: 'Greeting', value: VITE_GREETING },
];

export const buildFacts = facts.filter((fact) => fact.value);
