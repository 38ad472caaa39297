# SPDX-License-Identifier: MIT
#
# The command line is part of the program, not of a layer.
target_sources(test_options PRIVATE ${PROJECT_SOURCE_DIR}/src/options.c)
target_sources(test_nearest PRIVATE ${PROJECT_SOURCE_DIR}/src/nearest.c)
