/** Stands for what a test must not use. */
export const unused = async (): Promise<never> => {
  throw new Error('the test has no use for this');
};
