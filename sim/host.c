/* SPDX-License-Identifier: MIT */
/* See host.h. The values of the keys: parsed, checked, and turned into cycles. */
#include "sim/host.h"

#include "sim/presets.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key {
	const char *name;
	size_t offset;
	uint64_t least, most;
	const char *meaning;
};

#define KEY(field, least, most, meaning)                                   \
	{                                                                  \
#field, offsetof(struct host, field), least, most, meaning \
	}
#define CYCLES 10000000

static const struct key keys[] = {
	KEY(cpus, 1, SCHED_MAX_CPUS, "CPUs of the host"),
	KEY(sockets, 1, 64, "sockets; they divide the CPUs"),
	KEY(cache_cpus, 0, SCHED_MAX_CPUS, "CPUs to a last-level cache; 0: a socket's"),
	KEY(khz, 100000, 10000000, "clock of CPUs and TSC"),
	KEY(near_ns, 0, 100000, "a line's way from a CPU of the same cache"),
	KEY(socket_ns, 0, 100000, "... of another cache in the socket"),
	KEY(far_ns, 0, 100000, "... of another socket"),
	KEY(memory_ns, 0, 100000, "... from memory"),
	KEY(shared_read, 0, 100, "per cent of a read's way before another read can begin"),
	KEY(load_cycles, 0, CYCLES, "a load that hits"),
	KEY(store_cycles, 0, CYCLES, "a store into the buffer"),
	KEY(rmw_cycles, 0, CYCLES, "a locked instruction on a line that the CPU has"),
	KEY(fence_cycles, 0, CYCLES, "MFENCE"),
	KEY(pause_cycles, 1, CYCLES, "PAUSE"),
	KEY(exit_cycles, 0, CYCLES, "from the guest into KVM's handler"),
	KEY(entry_cycles, 0, CYCLES, "and back"),
	KEY(interrupt_exit_cycles, 0, CYCLES, "the same, by an interrupt of the host"),
	KEY(switch_cycles, 0, CYCLES, "from one thread to another"),
	KEY(wake_cycles, 0, CYCLES, "what waking a thread costs the waker"),
	KEY(tick_work_cycles, 0, CYCLES, "the host's timer interrupt"),
	KEY(tick_skew, 0, 1, "timer interrupts are spread over half a tick (skew_tick=1)"),
	KEY(tick_late_ns, 0, 1000000, "the most by which a timer interrupt is late"),
	KEY(ipi_ns, 0, 1000000, "an interrupt's way from one CPU to a busy one"),
	KEY(kick_us, 0, 10000, "until a woken thread runs on an idle CPU"),
	KEY(pv_unhalt, 0, 1, "KVM offers halt and kick"),
	KEY(pv_yield, 0, 1, "KVM offers directed yields"),
	KEY(steal_time, 0, 1, "KVM offers the steal-time page"),
	KEY(preempted_always, 0, 1, "`preempted` is set in exits, too (before Linux 5.19)"),
	KEY(kick_yield, 0, 1, "a kick yields to the kicked vCPU, too (since 5.3)"),
	KEY(ple, 0, 1, "vCPUs that spin exit"),
	KEY(ple_gap, 0, UINT32_MAX, "PAUSEs further apart are no loop, cycles"),
	KEY(ple_window, 0, UINT32_MAX, "a loop this long exits, cycles"),
	KEY(ple_window_grow, 0, 1024, "the window's growth at each exit, a factor; 0: none"),
	KEY(ple_window_max, 1, UINT32_MAX, "the longest window"),
	KEY(pause_filter, 0, UINT16_MAX, "AMD: so many PAUSEs make an exit; 0: the window does"),
	KEY(halt_poll, 0, 1000000, "the longest that KVM polls before it sleeps, us; 0: never"),
	KEY(halt_poll_start_us, 0, 1000000, "how long it polls at first"),
	KEY(halt_poll_grow, 0, 1024, "how much longer it polls after a short halt, a factor"),
	KEY(halt_poll_shrink, 0, 1024, "after a long halt, a divisor; 0: then it does not poll"),
	KEY(groups, 0, 1, "a cgroup for each VM"),
	KEY(pinned, 0, 1, "the k-th vCPU of each VM runs on CPU k only"),
	KEY(jitter, 0, 50, "per cent by which costs vary"),
	KEY(daemon_ms, 0, 1000000, "how often a task of the host's own runs on each CPU; 0: never"),
	KEY(daemon_us, 1, 1000000, "how long it runs"),
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static const char *const schedulers[] = {[SCHED_CFS] = "cfs", [SCHED_EEVDF] = "eevdf"};

static uint64_t *field(struct host *host, size_t offset)
{
	return (uint64_t *)((char *)host + offset);
}

static uint64_t value_of(const struct host *host, size_t offset)
{
	return *(const uint64_t *)((const char *)host + offset);
}

/* ---- parsing ---- */

struct word {
	const char *key, *value;
	int key_length, value_length;
};

/* Takes the next KEY=VALUE of a list with commas between. */
static bool next_word(const char **cursor, struct word *word)
{
	size_t length = strcspn(*cursor, ",");
	const char *equals;

	if (**cursor == '\0')
		return false;
	word->key = *cursor;
	equals = memchr(*cursor, '=', length);
	word->key_length = (int)(equals ? (size_t)(equals - *cursor) : length);
	word->value = equals ? equals + 1 : NULL;
	word->value_length = equals ? (int)(length - (size_t)word->key_length - 1) : 0;
	*cursor += length + ((*cursor)[length] == ',');
	return true;
}

static bool is(const char *text, int length, const char *name)
{
	return strlen(name) == (size_t)length && strncmp(text, name, (size_t)length) == 0;
}

static bool number(const struct word *word, uint64_t least, uint64_t most, uint64_t *value)
{
	char text[24], *end;

	if (word->value_length < 1 || word->value_length > 20 || *word->value < '0' ||
	    *word->value > '9')
		return false;
	snprintf(text, sizeof(text), "%.*s", word->value_length, word->value);
	*value = strtoull(text, &end, 10);
	return *end == '\0' && *value >= least && *value <= most;
}

static bool refuse_number(const struct word *word, uint64_t least, uint64_t most, char *error)
{
	snprintf(error, HOST_ERROR_BYTES, "%.*s=%.*s: a number from %llu to %llu is accepted",
		 word->key_length, word->key, word->value_length, word->value ? word->value : "",
		 (unsigned long long)least, (unsigned long long)most);
	return false;
}

static bool refuse_unknown(const struct word *word, char *error)
{
	int used = snprintf(error, HOST_ERROR_BYTES,
			    "%.*s: no parameter of the host; accepted are machine, sched",
			    word->key_length, word->key);

	for (size_t i = 0; i < KEYS; i++)
		used += snprintf(error + used, HOST_ERROR_BYTES - (size_t)used, ", %s",
				 keys[i].name);
	for (size_t i = 0; i < sched_key_count; i++)
		used += snprintf(error + used, HOST_ERROR_BYTES - (size_t)used, ", %s",
				 sched_keys[i].name);
	return false;
}

/* Starts with the preset that machine= names, wherever in the list it stands. */
static bool parse_machine(struct host *host, const char *words, char *error)
{
	struct word word;
	size_t chosen = 0;

	while (next_word(&words, &word)) {
		if (!is(word.key, word.key_length, "machine"))
			continue;
		for (chosen = 0; chosen < preset_count; chosen++)
			if (word.value && is(word.value, word.value_length, presets[chosen].name))
				break;
		if (chosen < preset_count)
			continue;
		snprintf(error, HOST_ERROR_BYTES,
			 "machine=%.*s: accepted are study, skylake, milan", word.value_length,
			 word.value ? word.value : "");
		return false;
	}
	*host = presets[chosen].host;
	host->machine = chosen;
	for (size_t i = 0; i < KEYS; i++) /* what a preset leaves 0 is as in all others */
		if (value_of(host, keys[i].offset) == 0)
			*field(host, keys[i].offset) = value_of(&preset_common, keys[i].offset);
	return true;
}

static bool parse_scheduler(struct host *host, const struct word *word, char *error)
{
	for (size_t i = 0; i < sizeof(schedulers) / sizeof(schedulers[0]); i++)
		if (word->value && is(word->value, word->value_length, schedulers[i])) {
			host->scheduler = i;
			return true;
		}
	snprintf(error, HOST_ERROR_BYTES, "sched=%.*s: accepted are cfs, eevdf", word->value_length,
		 word->value ? word->value : "");
	return false;
}

/* Takes a key of this file. *known: whether it is one. Returns false if its value is wrong. */
static bool parse_own(struct host *host, const struct word *word, bool *known, char *error)
{
	*known = true;
	if (is(word->key, word->key_length, "machine"))
		return true;
	if (is(word->key, word->key_length, "sched"))
		return parse_scheduler(host, word, error);
	for (size_t i = 0; i < KEYS; i++) {
		if (!is(word->key, word->key_length, keys[i].name))
			continue;
		return number(word, keys[i].least, keys[i].most, field(host, keys[i].offset)) ||
		       refuse_number(word, keys[i].least, keys[i].most, error);
	}
	*known = false;
	return true;
}

static bool parse_sched(struct host *host, const struct word *word, char *error)
{
	for (size_t i = 0; i < sched_key_count; i++) {
		const struct sched_key *key = &sched_keys[i];
		uint64_t *at = (uint64_t *)((char *)&host->sched + key->offset);

		if (is(word->key, word->key_length, key->name))
			return number(word, key->least, key->most, at) ||
			       refuse_number(word, key->least, key->most, error);
	}
	return refuse_unknown(word, error);
}

static bool check(const struct host *host, char *error)
{
	const char *problem = NULL;

	if (host->cpus % host->sockets != 0)
		problem = "the sockets do not divide them: accepted is a multiple of sockets=";
	else if (host->cpus / host->sockets % host->cache_cpus != 0)
		problem = "cache_cpus= does not divide the CPUs of a socket";
	if (problem) {
		snprintf(error, HOST_ERROR_BYTES, "cpus=%llu,sockets=%llu,cache_cpus=%llu: %s",
			 (unsigned long long)host->cpus, (unsigned long long)host->sockets,
			 (unsigned long long)host->cache_cpus, problem);
		return false;
	}
	problem = sched_config_error(&host->sched);
	if (problem)
		snprintf(error, HOST_ERROR_BYTES, "%s", problem);
	return !problem;
}

static void derive(struct host *host)
{
	uint64_t khz = host->khz;

	host->near_cycles = host->near_ns * khz / 1000000;
	host->socket_cycles = host->socket_ns * khz / 1000000;
	host->far_cycles = host->far_ns * khz / 1000000;
	host->memory_cycles = host->memory_ns * khz / 1000000;
	host->tick_late_cycles = host->tick_late_ns * khz / 1000000;
	host->ipi_cycles = host->ipi_ns * khz / 1000000;
	host->kick_cycles = host->kick_us * khz / 1000;
	host->tick_cycles = khz * 1000 / host->sched.hz;
	host->halt_poll_cycles = host->halt_poll * khz / 1000;
	host->halt_poll_start_cycles = host->halt_poll_start_us * khz / 1000;
	host->daemon_cycles = host->daemon_us * khz / 1000;
	host->daemon_apart_cycles = host->daemon_ms * khz;
	for (uint32_t i = 0; i < host->cpus; i++)
		sched_cpus_add(&host->pin, i);
}

bool host_parse(struct host *host, const char *words, uint32_t vms, char error[HOST_ERROR_BYTES])
{
	const char *cursor;
	struct word word;
	bool known;

	words = words ? words : "";
	if (!parse_machine(host, words, error))
		return false;
	for (cursor = words; next_word(&cursor, &word);)
		if (!parse_own(host, &word, &known, error))
			return false;
	/* the preset's caches do not fit the CPUs asked for: one cache per socket */
	if (host->cpus % host->sockets == 0 && host->cache_cpus &&
	    host->cache_cpus == presets[host->machine].host.cache_cpus &&
	    host->cpus / host->sockets % host->cache_cpus != 0)
		host->cache_cpus = 0;
	if (host->cache_cpus == 0 && host->cpus % host->sockets == 0)
		host->cache_cpus = host->cpus / host->sockets;
	if (host->cache_cpus == 0)
		host->cache_cpus = 1; /* check() below names the error */
	sched_config_default(&host->sched, (enum sched_kind)host->scheduler, (uint32_t)host->cpus,
			     (uint32_t)host->sockets);
	host->sched.groups = host->groups ? vms : 0;
	for (cursor = words; next_word(&cursor, &word);) {
		struct host unused = *host;

		if (parse_own(&unused, &word, &known, error) && !known &&
		    !parse_sched(host, &word, error))
			return false;
	}
	if (!check(host, error))
		return false;
	derive(host);
	return true;
}

bool host_pin(struct host *host, const char *list, char error[HOST_ERROR_BYTES])
{
	struct sched_cpus pin = {{0}};
	const char *at = list;

	while (*at) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end != at && *end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
		}
		if (end == at || (*end != '\0' && *end != ',') || first > last ||
		    last >= host->cpus) {
			snprintf(error, HOST_ERROR_BYTES,
				 "--pin=%s: a list of CPUs such as 0-3,8 is accepted, of the "
				 "host's 0..%llu",
				 list, (unsigned long long)host->cpus - 1);
			return false;
		}
		for (; first <= last; first++)
			sched_cpus_add(&pin, (uint32_t)first);
		at = end + (*end == ',');
	}
	host->pin = pin;
	return true;
}

/* ---- printing ---- */

bool host_key(const struct host *host, uint32_t i, const char **name, uint64_t *value,
	      const char **text)
{
	*text = NULL;
	if (i == 0) {
		*name = "machine";
		*text = presets[host->machine].name;
		return true;
	}
	if (i == 1) {
		*name = "sched";
		*text = schedulers[host->scheduler];
		return true;
	}
	i -= 2;
	if (i < KEYS) {
		*name = keys[i].name;
		*value = value_of(host, keys[i].offset);
		return true;
	}
	i -= KEYS;
	if (i >= sched_key_count)
		return false;
	*name = sched_keys[i].name;
	*value = *(const uint64_t *)((const char *)&host->sched + sched_keys[i].offset);
	return true;
}

const char *host_vendor(const struct host *host)
{
	return presets[host->machine].vendor;
}

const char *host_model(const struct host *host)
{
	return presets[host->machine].model;
}

void host_list(void)
{
	printf("machine=NAME, a preset that the other keys change:\n");
	for (size_t i = 0; i < preset_count; i++)
		printf("  %-12s %s\n", presets[i].name, presets[i].meaning);
	printf("sched=cfs|eevdf: the scheduler of Linux 4.12, or of 6.12\nnumbers:\n");
	for (size_t i = 0; i < KEYS; i++)
		printf("  %-22s %llu..%llu  %s\n", keys[i].name, (unsigned long long)keys[i].least,
		       (unsigned long long)keys[i].most, keys[i].meaning);
	for (size_t i = 0; i < sched_key_count; i++)
		printf("  %-22s %llu..%llu  %s\n", sched_keys[i].name,
		       (unsigned long long)sched_keys[i].least,
		       (unsigned long long)sched_keys[i].most, sched_keys[i].meaning);
}
