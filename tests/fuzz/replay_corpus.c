/* SPDX-License-Identifier: MIT
 *
 * main() for the fuzz targets in an ordinary build: runs every file of the folders named on the
 * command line through LLVMFuzzerTestOneInput, so that the corpus is a regression test in every
 * build. Each input stands in an allocation of exactly its size: a read one byte too far is seen
 * by ASan and valgrind. An empty corpus is a failure, or the test could never fail.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	long size = ftell(f);
	rewind(f);
	uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
	if (size < 0 || bytes == NULL || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	LLVMFuzzerTestOneInput(bytes, (size_t)size);
	free(bytes);
	return 1;
}

int main(int argc, char **argv)
{
	int files = 0;
	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		if (dir == NULL) {
			perror(argv[i]);
			return 1;
		}
		for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
			char path[4096];
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
			files += run_file(path);
		}
		closedir(dir);
	}
	printf("%d inputs\n", files);
	return files > 0 ? 0 : 1;
}
