/* SPDX-License-Identifier: MIT
 *
 * OpenVPN's own words as enums: states and restart reasons, from the .def files beside this one.
 */
#ifndef OVPNWATCH_PROTO_OPENVPN_WORDS_H
#define OVPNWATCH_PROTO_OPENVPN_WORDS_H

#include "proto/slice.h"

enum openvpn_state {
	STATE_OTHER, /* a word that this version does not know, or none yet */
#define X(name, word) name,
#include "proto/openvpn_states.def"
#undef X
};

enum restart_reason {
	REASON_OTHER,
#define X(name, word) name,
#include "proto/restart_reasons.def"
#undef X
};

/* The enumerator of a word, exact and case-sensitive; STATE_OTHER or REASON_OTHER if unknown. */
enum openvpn_state openvpn_state_from(struct slice word);
enum restart_reason restart_reason_from(struct slice word);

#endif
