/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch: says why an OpenVPN tunnel restarted, and what the clocks at both ends showed.
 */
#include <stdio.h>

int main(void)
{
	puts("ovpnwatch " OVPNWATCH_VERSION);
	return 0;
}
