/* SPDX-License-Identifier: MIT */
/* See peer.h. */
#include "bench/peers/peer.h"

#include <string.h>

extern const struct peer __start_peer_registry[];
extern const struct peer __stop_peer_registry[];

size_t peer_count(void)
{
	return ((uintptr_t)__stop_peer_registry - (uintptr_t)__start_peer_registry) /
	       sizeof(struct peer);
}

bool peer_is_floor(const struct peer *peer)
{
	return strncmp(peer->ops->name, "floor-", 6) == 0;
}

bool peer_is_outside(const struct peer *peer)
{
	return strncmp(peer->ops->name, "ck-", 3) == 0 ||
	       strncmp(peer->ops->name, "glibc-", 6) == 0;
}

static int group(const struct peer *peer)
{
	return peer_is_floor(peer) ? 0 : peer_is_outside(peer) ? 2 : 1;
}

static bool before(const struct peer *a, const struct peer *b)
{
	if (group(a) != group(b))
		return group(a) < group(b);
	return strcmp(a->ops->name, b->ops->name) < 0;
}

const struct peer *peer_at(size_t i)
{
	for (size_t k = 0; k < peer_count(); k++) {
		size_t rank = 0;

		for (size_t j = 0; j < peer_count(); j++)
			rank += before(&__start_peer_registry[j], &__start_peer_registry[k]);
		if (rank == i)
			return &__start_peer_registry[k];
	}
	return NULL;
}

const struct peer *peer_find(const char *name)
{
	for (size_t i = 0; i < peer_count(); i++)
		if (strcmp(__start_peer_registry[i].ops->name, name) == 0)
			return &__start_peer_registry[i];
	return NULL;
}

struct instance peer_instance(const struct peer *peer, uint32_t cpus)
{
	const struct lock_ops *ops = peer->ops;
	struct instance instance = {
		.stride = (ops->node_size + APART) / APART * APART,
	};
	struct lock_env env = {.cpus = cpus};

	instance.lock = port_alloc(ops->state_size, APART);
	instance.nodes = port_alloc(cpus * instance.stride, APART);
	env.nodes = instance.nodes;
	env.node_stride = instance.stride;
	ops->init(instance.lock, &env);
	return instance;
}
