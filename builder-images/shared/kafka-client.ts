// A module of its own: its import is put off until there is something to send (see kafka.ts).
export { Kafka } from 'kafkajs';
