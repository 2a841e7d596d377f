import type { EventStoreDBClient } from '@eventstore/db-client';
import type { ChannelOptions } from '@grpc/grpc-js';

/**
 * What the node may send ahead of us for each call, in bytes. HTTP/2 allows 64 KiB when nobody says otherwise, and the next
 * only when those are taken: a busy process, which takes them once a turn of its loop, then reads no faster than some
 * hundred events a second.
 */
export const WINDOW_BYTES = 512 * 1024;

/** What the official client and its channel keep for themselves. */
type Inside = { createChannel?: () => Promise<Readonly<{ internalChannel?: { getOptions?: () => ChannelOptions } }>> };

/**
 * Widens the window of every connection that the client opens from now on. The client has no setting for it; one that is
 * made otherwise than we know keeps its window, and is slower for that.
 */
export const withWideWindow = (client: EventStoreDBClient): EventStoreDBClient => {
  const inside = client as unknown as Inside;
  const { createChannel } = inside;
  if (createChannel === undefined) return client;
  inside.createChannel = async () => {
    const channel = await createChannel();
    // It connects later, with what it finds here then.
    const options = channel.internalChannel?.getOptions?.();
    if (options !== undefined) options['grpc-node.flow_control_window'] = WINDOW_BYTES;
    return channel;
  };
  return client;
};
