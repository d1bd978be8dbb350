const env = import.meta.env;

/** Given at build time; any of them may be absent. VITE_GREETING stands for a variable of the deployment's "env". */
const facts: { name: string; value: string | undefined }[] = [
  { name: 'Mode', value: env.MODE },
  { name: 'Commit', value: env.VEREN_GIT_COMMIT },
  { name: 'Deployment', value: env.VEREN_DEPLOYMENT_ID },
  { name: 'Greeting', value: env.VITE_GREETING },
];

export const buildFacts = facts.filter((fact) => fact.value);
