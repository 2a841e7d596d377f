import { randomUUID } from 'node:crypto';
import {
  featuresPb,
  gossipPb,
  ServerFeaturesService,
  GossipService,
  sharedPb,
  StreamsService,
  type ClusterInfo,
  type SupportedMethods,
} from '../wire/protocol.ts';

/** The version of the original whose behaviour this node shows; clients choose their paths by it. */
const protocolVersion = '23.10.0';

/** Lists the methods the node has, so that clients take their best paths. */
export const supportedMethods = (): SupportedMethods => {
  const reply = new featuresPb.SupportedMethods().setEventStoreServerVersion(protocolVersion);
  for (const { path } of [StreamsService, ServerFeaturesService, GossipService].flatMap((service) =>
    Object.values(service),
  )) {
    const [, service = '', method = ''] = path.toLowerCase().split('/');
    reply.addMethods(new featuresPb.SupportedMethod().setServiceName(service).setMethodName(method));
  }
  return reply;
};

const instance = randomUUID();

/** A cluster of one: this node, leader, reachable where it says. */
export const clusterOfOne = (address: string, port: number): ClusterInfo => {
  const member = new gossipPb.MemberInfo()
    .setInstanceId(new sharedPb.UUID().setString(instance))
    .setTimeStamp(String(Date.now()))
    .setState(gossipPb.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new gossipPb.EndPoint().setAddress(address).setPort(port));
  const reply = new gossipPb.ClusterInfo();
  reply.addMembers(member);
  return reply;
};
