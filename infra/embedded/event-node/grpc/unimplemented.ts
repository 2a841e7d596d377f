import { status, type Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { PersistentSubscriptionsService, ProjectionsService, UsersService } from '../wire/protocol.ts';
import { Refusal, toStatus } from './refusals.ts';

type AnyCall = { emit: (event: 'error', error: object) => boolean };
type AnyReply = ((error: object) => void) | undefined;

const refuse = (service: ServiceDefinition, reason: string): UntypedServiceImplementation =>
  Object.fromEntries(
    Object.keys(service).map((method) => [
      method,
      (call: AnyCall, reply: AnyReply) => {
        const error = toStatus(new Refusal(status.UNIMPLEMENTED, reason));
        if (reply === undefined) call.emit('error', error);
        else reply(error);
      },
    ]),
  );

/** Answers the services the node does not have, each with what to use instead. */
export const addUnimplemented = (server: Server): void => {
  const services: [service: ServiceDefinition, reason: string][] = [
    [PersistentSubscriptionsService, 'The event node has no persistent subscriptions: use catch-up subscriptions.'],
    [ProjectionsService, 'The event node runs no projections: subscribe to $all and project in the application.'],
    [UsersService, 'The event node manages no users: name them in its credentials file.'],
  ];
  for (const [service, reason] of services) server.addService(service, refuse(service, reason));
};
