/* SPDX-License-Identifier: MIT */
#include "io/local_time.h"

#include <stdint.h>
#include <time.h>

nsec local_time(nsec naive)
{
	time_t seconds = (time_t)(naive / NSEC_PER_SEC);
	nsec rest = naive % NSEC_PER_SEC;
	struct tm civil;
	if (gmtime_r(&seconds, &civil) == NULL)
		return naive;
	civil.tm_isdst = -1;
	time_t instant = mktime(&civil);
	if (instant == (time_t)-1 || instant > INT32_MAX * 4LL || instant < 0)
		return naive;
	return (nsec)instant * NSEC_PER_SEC + rest;
}

int local_year(nsec wall)
{
	time_t now = (time_t)(wall / NSEC_PER_SEC);
	struct tm civil;
	return localtime_r(&now, &civil) != NULL ? civil.tm_year + 1900 : 1970;
}
