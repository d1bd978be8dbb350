// A module of its own: import() of a CommonJS package gives a bundle nothing but its default export, this one has the names.
export { Pool, util } from 'undici';
