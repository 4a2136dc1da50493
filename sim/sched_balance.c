/* SPDX-License-Identifier: MIT */
/*
 * Moving waiting tasks to CPUs with less to do (kernel/sched/fair.c, load_balance(),
 * find_busiest_group(), calculate_imbalance(), detach_tasks()): a CPU pulls, first within its
 * socket and then from another one, at ticks and when it runs out of work. A task that ran just now
 * is cache-hot and stays, unless balancing has failed a few times. Load is the weight of what is
 * queued now.
 *
 * Not modelled: moving the running task (active balance), NUMA's preferred nodes, means that decay,
 * the random omission of new-idle balancing (NI_RANDOM, 6.19 and stable).
 */
#include "sim/sched_queue.h"

struct pull {
	struct sched *sched;
	struct sched_cpu *to;
	enum sched_level level;
	bool idle;
	bool new_idle;
	int64_t imbalance; /* weight that should move */
};

/* topology.c, sd_init(): imbalance_pct and cache_nice_tries */
static uint64_t tolerance(const struct sched *sched, enum sched_level level)
{
	return level == SCHED_MACHINE && sched->config.kind == SCHED_CFS ? 125 : 117;
}

static uint32_t patience(enum sched_level level)
{
	return level == SCHED_MACHINE ? 2 : 1;
}

/* can_migrate_task() */
static bool may_move(const struct pull *pull, const struct sched_cpu *from,
		     struct sched_entity *entity)
{
	const struct sched *sched = pull->sched;
	const struct sched_task *task = sched_task_of(entity);
	uint64_t ran_until = entity->exec_start;
	uint64_t ago = from->clock > ran_until ? from->clock - ran_until : 0;

	if (entity->own || entity->delayed || !sched_cpus_has(&task->allowed, pull->to->id))
		return false;
	return ago >= sched->config.migration_cost_ns ||
	       pull->to->balancer[pull->level].failed > patience(pull->level);
}

/* Whether `weight` is not too much to move (detach_tasks()). 4.12 moves up to twice the imbalance;
 * 6.12 allows more with each failure. */
static bool fits(const struct pull *pull, uint64_t weight)
{
	uint32_t failed = pull->to->balancer[pull->level].failed;

	if (pull->idle)
		return true;
	if (pull->sched->config.kind == SCHED_CFS)
		return (int64_t)(weight / 2) <= pull->imbalance;
	return (int64_t)(weight >> (failed < 63 ? failed : 63)) <= pull->imbalance;
}

static void move(const struct pull *pull, struct sched_cpu *from, struct sched_task *task)
{
	struct sched *sched = pull->sched;

	sched_leave(sched, from, task, SCHED_MOVE);
	task->entity.exec_start = 0; /* migrate_task_rq_fair(): not hot where it goes */
	task->migrations++;
	sched_enter(sched, pull->to, task, SCHED_MOVE);
	if (pull->new_idle) {
		sched->counts.newidle_pulls++;
	} else {
		sched->counts.balance_pulls++;
		sched_check_preempt(sched, pull->to, task);
	}
}

static uint32_t move_from_queue(struct pull *pull, struct sched_cpu *from,
				struct sched_queue *queue)
{
	uint32_t moved = 0;

	for (struct sched_entity *e = queue->head, *behind; e; e = behind) {
		behind = e->behind;
		if (from->load < 2 || pull->imbalance <= 0)
			break;
		if (!may_move(pull, from, e) || !fits(pull, e->weight))
			continue;
		pull->imbalance -= (int64_t)e->weight;
		move(pull, from, sched_task_of(e));
		moved++;
	}
	return moved;
}

static uint32_t move_tasks(struct pull *pull, struct sched_cpu *from)
{
	uint32_t moved;

	sched_account(pull->sched, from, pull->to->clock);
	moved = move_from_queue(pull, from, &from->root);
	for (uint32_t i = 0; i < pull->sched->config.groups; i++)
		moved += move_from_queue(pull, from, &from->group_queues[i]);
	return moved;
}

/* The most loaded of a socket's CPUs that have a waiting task, except `but`; NULL: none. */
static struct sched_cpu *busiest_cpu(const struct sched *sched, uint32_t socket,
				     const struct sched_cpu *but)
{
	uint32_t first = socket * sched->socket_cpus, end = first + sched->socket_cpus;
	struct sched_cpu *busiest = NULL;

	for (uint32_t word = first / 64; word * 64 < end; word++) {
		uint64_t bits = sched->overloaded.word[word];

		for (; bits; bits &= bits - 1) {
			uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(bits);

			if (i < first || i >= end || &sched->cpus[i] == but)
				continue;
			if (!busiest || sched->cpus[i].weight > busiest->weight)
				busiest = &sched->cpus[i];
		}
	}
	return busiest;
}

/* find_busiest_group() for a place (CPU or socket) that is itself busy: the weight that should move
 * from `there` to `here`; 0: they are balanced. `all`: the weight of all `count` places. */
static int64_t imbalance_of(const struct pull *pull, uint64_t here, uint64_t there, uint64_t all,
			    uint64_t count)
{
	int64_t above, below, imbalance;

	if (here * count >= all || there * 100 <= tolerance(pull->sched, pull->level) * here)
		return 0;
	above = (int64_t)(there - all / count);
	below = (int64_t)(all / count - here);
	imbalance = above < below ? above : below;
	/* fix_small_imbalance() of 4.12: a difference of one task moves one */
	if (pull->sched->config.kind == SCHED_CFS && imbalance < SCHED_NICE_0 &&
	    there - here >= SCHED_NICE_0)
		return SCHED_NICE_0;
	return imbalance;
}

/* The CPU of the same socket from which to pull, and pull->imbalance; NULL: none. */
static struct sched_cpu *find_near(struct pull *pull)
{
	struct sched *sched = pull->sched;
	const struct sched_cpu *to = pull->to;
	const struct sched_socket *socket = &sched->sockets[to->socket];
	struct sched_cpu *from = busiest_cpu(sched, to->socket, to);

	if (!from)
		return NULL;
	if (pull->idle) {
		/* a preemptible kernel stops after the first task */
		bool one = pull->new_idle && sched->config.kind == SCHED_EEVDF;

		pull->imbalance = one ? 1 : (int64_t)(from->weight + 1) / 2;
		return from;
	}
	pull->imbalance =
		imbalance_of(pull, to->weight, from->weight, socket->weight, sched->socket_cpus);
	return pull->imbalance > 0 ? from : NULL;
}

/* should_we_balance(): every idle CPU, or the first CPU of a socket that has no idle one. */
static bool may_look_far(const struct pull *pull)
{
	const struct sched *sched = pull->sched;
	uint32_t socket = pull->to->socket;

	return pull->idle ||
	       (!sched->sockets[socket].idle && pull->to->id == socket * sched->socket_cpus);
}

/* The CPU of another socket from which to pull, and pull->imbalance; NULL: none. */
static struct sched_cpu *find_far(struct pull *pull)
{
	struct sched *sched = pull->sched;
	const struct sched_socket *here = &sched->sockets[pull->to->socket];
	const struct sched_socket *there = NULL;
	uint64_t all = 0;

	if (!may_look_far(pull))
		return NULL;
	for (uint32_t i = 0; i < sched->config.sockets; i++) {
		const struct sched_socket *socket = &sched->sockets[i];

		all += socket->weight;
		if (socket != here && (!there || socket->weight > there->weight))
			there = socket;
	}
	if (!there)
		return NULL;
	if (!pull->idle) {
		pull->imbalance = imbalance_of(pull, here->weight / sched->socket_cpus,
					       there->weight / sched->socket_cpus,
					       all / sched->socket_cpus, sched->config.sockets);
		pull->imbalance *= sched->socket_cpus;
		if (pull->imbalance <= 0)
			return NULL;
	} else {
		if (there->load <= sched->socket_cpus && here->idle <= there->idle + 1)
			return NULL;
		pull->imbalance = 1; /* one task */
	}
	return busiest_cpu(sched, (uint32_t)(there - sched->sockets), NULL);
}

/* load_balance(). Sets *moved to the number of tasks moved. Returns whether all was balanced. */
static bool balance(struct pull *pull, uint32_t *moved)
{
	struct sched_balancer *balancer = &pull->to->balancer[pull->level];
	struct sched_cpu *from = pull->level == SCHED_SOCKET ? find_near(pull) : find_far(pull);

	*moved = 0;
	if (!from) {
		if (!pull->new_idle)
			balancer->failed = 0;
		return true;
	}
	*moved = move_tasks(pull, from);
	if (*moved)
		balancer->failed = 0;
	else if (!pull->new_idle)
		balancer->failed++;
	return false;
}

static bool anything_waits(const struct sched *sched)
{
	uint64_t any = 0;

	for (uint32_t word = 0; word * 64 < sched->config.cpus; word++)
		any |= sched->overloaded.word[word];
	return any;
}

/* 4.12, idle_balance(); 6.12, sched_balance_newidle() */
bool sched_balance_newidle(struct sched *sched, struct sched_cpu *cpu)
{
	if (!sched->config.balance || cpu->mean_idle_ns < sched->config.newidle_cost_ns ||
	    !anything_waits(sched))
		return false;
	for (enum sched_level level = SCHED_SOCKET; level < SCHED_LEVELS; level++) {
		struct pull pull = {
			.sched = sched, .to = cpu, .level = level, .idle = true, .new_idle = true};
		uint32_t moved;

		balance(&pull, &moved);
		if (moved)
			return true;
	}
	return false;
}

/* The shortest interval (sd_init()): 1 ms for each CPU of the level. While all is balanced it grows
 * to twice that. */
static uint64_t shortest_ns(const struct sched *sched, enum sched_level level)
{
	uint64_t socket = sched->config.balance_interval_ns;

	if (!socket)
		socket = sched->socket_cpus * UINT64_C(1000000);
	return level == SCHED_SOCKET ? socket : socket * sched->config.sockets;
}

/* rebalance_domains() */
void sched_balance_tick(struct sched *sched, struct sched_cpu *cpu)
{
	if (!sched->config.balance)
		return;
	for (enum sched_level level = SCHED_SOCKET; level < SCHED_LEVELS; level++) {
		struct sched_balancer *balancer = &cpu->balancer[level];
		uint64_t shortest = shortest_ns(sched, level);
		bool idle = sched_cpus_has(&sched->idle, cpu->id);
		struct pull pull = {.sched = sched, .to = cpu, .level = level, .idle = idle};
		uint32_t moved;

		/* A CPU that became idle need not wait for a busy CPU's turn. */
		if (idle && balancer->due_ns > cpu->clock + balancer->interval_ns)
			balancer->due_ns = cpu->clock + balancer->interval_ns;
		if (cpu->clock < balancer->due_ns)
			continue;
		if (balance(&pull, &moved) && balancer->interval_ns < 2 * shortest)
			balancer->interval_ns *= 2;
		else if (moved)
			balancer->interval_ns = shortest;
		balancer->due_ns =
			cpu->clock +
			balancer->interval_ns * (idle ? 1 : sched->config.balance_busy_factor);
	}
}

/* Linux starts a CPU's balancing as the CPU comes up; here the starts are spread over an interval.
 */
void sched_balance_init(struct sched *sched)
{
	for (uint32_t i = 0; i < sched->config.cpus; i++) {
		for (enum sched_level level = SCHED_SOCKET; level < SCHED_LEVELS; level++) {
			struct sched_balancer *balancer = &sched->cpus[i].balancer[level];
			uint64_t shortest = shortest_ns(sched, level);

			balancer->interval_ns = shortest;
			balancer->due_ns = shortest + shortest * i / sched->config.cpus;
		}
	}
}
