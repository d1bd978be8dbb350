// A module of its own: loaded where MSK's IAM access is used, and nowhere else.
export { generateAuthToken, generateAuthTokenFromCredentialsProvider } from 'aws-msk-iam-sasl-signer-js';
