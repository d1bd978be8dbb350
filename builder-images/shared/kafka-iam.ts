// A module of its own, so that it is loaded only where MSK's IAM access is used.
export { generateAuthTokenFromCredentialsProvider } from 'aws-msk-iam-sasl-signer-js';
