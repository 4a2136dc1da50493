/* SPDX-License-Identifier: MIT */
/* See poll.h. */
#include "sim/poll.h"

#include "sim/kvm.h"
#include "sim/line.h"

/* Two polls with the same mark looked at the same lines at the same cycles. */
static uint64_t mark_of(const struct poll *poll)
{
	uint64_t mark = poll->looks;

	for (uint32_t i = 0; i < poll->looks; i++)
		mark = (mark ^ (uint64_t)(uintptr_t)poll->look[i].line ^ poll->look[i].offset) *
		       UINT64_C(0x9e3779b97f4a7c15);
	return mark;
}

/* Whether none of the lines was written since the poll looked at it. */
static bool has_all(const struct vcpu *vcpu)
{
	for (uint32_t i = 0; i < vcpu->poll.looks; i++)
		if (!line_shared(vcpu->poll.look[i].line, vcpu->cpu))
			return false;
	return true;
}

static void begin(struct poll *poll, uint64_t now)
{
	poll->looks = 0;
	poll->pure = true;
	poll->begin = now;
}

/* Ends the sleep at the start of poll number `skipped`. */
static void wake(struct vcpu *vcpu, uint64_t skipped)
{
	struct poll *poll = &vcpu->poll;

	if (skipped > poll->most)
		skipped = poll->most;
	poll->asleep = false;
	poll->skipped = skipped;
	vcpu->cpu->clock = poll->start + skipped * poll->period;
	kvm_paused(vcpu, skipped, vcpu->cpu->clock - poll->gap);
}

void poll_written(struct vcpu *vcpu, const struct line *line, uint64_t time)
{
	struct poll *poll = &vcpu->poll;

	if (!poll->asleep)
		return;
	for (uint32_t i = 0; i < poll->looks; i++) {
		uint64_t polls;

		if (poll->look[i].line != line)
			continue;
		/* polls whose look at the line is before `time`; the first begins at `start` */
		polls = time > poll->start + poll->look[i].offset
				? (time - poll->start - poll->look[i].offset + poll->period - 1) /
					  poll->period
				: 0;
		wake(vcpu, polls);
		vm_unstuck(vcpu);
		engine_set_turn(vcpu->cpu, vcpu->cpu->clock);
		return;
	}
}

bool poll_behind(struct vcpu *vcpu, const struct line *line, uint64_t time)
{
	struct poll *poll = &vcpu->poll;

	if (!poll->asleep || poll->start >= time)
		return false;
	for (uint32_t i = 0; i < poll->looks; i++)
		if (poll->look[i].line == line) {
			poll_stop(vcpu, time);
			engine_set_turn(vcpu->cpu, vcpu->cpu->clock);
			return true;
		}
	return false;
}

void poll_stop(struct vcpu *vcpu, uint64_t time)
{
	struct poll *poll = &vcpu->poll;

	if (poll->asleep)
		wake(vcpu, time > poll->start ? (time - poll->start) / poll->period : 0);
}

/* Sleeps through up to `most` polls that are all like the last one. Returns how many. */
static uint64_t sleep_through(struct vcpu *vcpu, uint64_t most)
{
	struct poll *poll = &vcpu->poll;
	uint64_t bound = kvm_pauses_left(vcpu, poll->period);
	bool alone = most >= POLL_ALONE && bound >= POLL_ALONE;

	if (most > bound)
		most = bound;
	if (most > POLL_ALONE)
		most = POLL_ALONE;
	/* the clock must not overflow */
	if (most > (TIME_MOST - poll->start) / poll->period)
		most = (TIME_MOST - poll->start) / poll->period;
	if (most == 0)
		return 0;
	poll->asleep = true;
	poll->most = most;
	vcpu->cpu->clock = poll->start + most * poll->period;
	if (alone)
		vm_stuck(vcpu);
	engine_yield(vcpu);
	return poll->skipped;
}

uint64_t poll_pause(struct vcpu *vcpu, uint64_t most, uint64_t gap)
{
	struct poll *poll = &vcpu->poll;
	uint64_t length, mark, polls = 1;
	bool alike;

	engine_sync(vcpu);
	length = vcpu->cpu->clock - poll->begin;
	mark = mark_of(poll);
	alike = poll->pure && poll->looks && poll->length == length && poll->mark == mark;
	poll->length = poll->pure ? length : 0;
	poll->mark = mark;
	vcpu->cpu->clock += engine.host.pause_cycles;
	if (kvm_pause(vcpu))
		alike = false;
	vcpu->cpu->clock += gap;
	if (alike && most > 1 && has_all(vcpu) && !engine.follow && !vcpu->pending) {
		poll->start = vcpu->cpu->clock;
		poll->period = length + engine.host.pause_cycles + gap;
		poll->gap = gap;
		polls += sleep_through(vcpu, most - 1);
	}
	begin(poll, vcpu->cpu->clock);
	return polls;
}
