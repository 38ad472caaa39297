/* SPDX-License-Identifier: MIT
 *
 * Why a tunnel restarted: one function a cause (src/core/causes), each of which looks at the same
 * evidence and says whether it applies, how sure it is, and on what grounds. They know nothing of
 * each other; the order and the life of alerts are made around the table.
 *
 * The rule of confidence: `likely` and `confirmed` are earned by something that was seen, never by
 * something that is not known. What speaks against a cause either rules it out or is said in
 * `against`; so taking a piece of evidence away can let a cause appear as possible, but never makes
 * one surer.
 */
#ifndef OVPNWATCH_CORE_DIAGNOSE_H
#define OVPNWATCH_CORE_DIAGNOSE_H

#include "core/evidence.h"
#include "core/notice.h"

/* Judges the restart. Writes at most NOTICE_CAUSES_MAX causes, most likely first, and returns how
 * many, never 0: CAUSE_UNKNOWN is one. */
unsigned diagnose(const struct evidence *e, struct cause causes[NOTICE_CAUSES_MAX]);

/* The same causes with the same confidence, in the same order, of the same scope, have the same
 * digest. */
uint32_t diagnose_digest(const struct cause *causes, unsigned n, enum scope scope);

/* --- for the causes -----------------------------------------------------------------------------
 */

/* True if it applies; then *c has confidence, grounds and remedy (its name is set by the table). */
typedef bool cause_rule(const struct evidence *e, struct cause *c);

#define X(name, word, rule, phrase) cause_rule rule;
#include "core/causes.def"
#undef X

/* Adds a sentence for or against; beyond NOTICE_REASONS_MAX it is not kept. */
void cause_because(struct cause *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cause_against(struct cause *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cause_remedy(struct cause *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "the server answered 5 of 5 probes meanwhile: …", if it answered any while the tunnel was silent.
 */
void cause_answered_meanwhile(const struct evidence *e, struct cause *c);

#endif
