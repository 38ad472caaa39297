/* SPDX-License-Identifier: MIT
 *
 * The honesty of a verdict, looked at after every step of a scenario: taking any one piece of
 * evidence away never makes a cause surer (one that was not named may become possible, for there is
 * less to rule it out), and no cause but the true one is ever confirmed, with all the evidence or
 * with one piece less.
 */
#ifndef OVPNWATCH_TESTS_SCENARIOS_HONESTY_H
#define OVPNWATCH_TESTS_SCENARIOS_HONESTY_H

#include "core/watch.h"

struct honesty {
	bool known;	       /* the scenario says the truth */
	enum cause_name truth; /* CAUSE_COUNT: nothing may be confirmed */
	unsigned judged;       /* verdicts that were looked at */
};

/* `truth CAUSE`, or `truth none`. False: there is no such cause. */
bool honesty_truth(struct honesty *h, const char *word);

/* Looks at the tunnel's episode, if it has one. Ends the program if a promise is broken. */
void honesty_check(struct honesty *h, const struct watch *w, const struct tunnel *t,
		   const struct stamp *now);

#endif
