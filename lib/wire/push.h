#pragma once

/*
 * What an agent says beside the samples: the names both sides use.
 *
 * A batch is one remote-write 1.0 body (snappy, protobuf) with three headers that
 * make its replay free: the same (agent, epoch, sequence) is stored once and is
 * answered the same way again.
 *
 *   X-Watchbill-Agent:    the agent's id, 1 to 64 of [a-zA-Z0-9._-]
 *   X-Watchbill-Epoch:    new with every start of the agent (decimal uint64); batches
 *                         of earlier starts still come from the spool, with theirs
 *   X-Watchbill-Sequence: 1, 2, 3 ... within the epoch (decimal uint64)
 *   X-Watchbill-Interval: ms between live batches; silence past 3 of them is absence
 */

#define PUSH_HEADER_AGENT    "X-Watchbill-Agent"
#define PUSH_HEADER_EPOCH    "X-Watchbill-Epoch"
#define PUSH_HEADER_SEQUENCE "X-Watchbill-Sequence"
#define PUSH_HEADER_INTERVAL "X-Watchbill-Interval"
