/* SPDX-License-Identifier: MIT
 *
 * What every decoder answers. Out-parameters are written only with VERDICT_DONE, and no result
 * depends on how the bytes were cut on their way here.
 */
#ifndef OVPNWATCH_PROTO_VERDICT_H
#define OVPNWATCH_PROTO_VERDICT_H

enum verdict {
	VERDICT_DONE,	 /* decoded; the output is filled in */
	VERDICT_MORE,	 /* right so far, but the input ends too early */
	VERDICT_INVALID, /* not what it should be; the output is untouched */
};

#define MUST_USE __attribute__((warn_unused_result))

#endif
