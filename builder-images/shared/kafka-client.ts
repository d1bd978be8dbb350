// A module of its own, so that it is loaded only when there is something to send (see kafka.ts).
export { Kafka } from 'kafkajs';
