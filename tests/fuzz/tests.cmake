# SPDX-License-Identifier: MIT
#
# The configuration file is part of the program, not of a layer.
target_sources(fuzz_config PRIVATE ${PROJECT_SOURCE_DIR}/src/config.c ${PROJECT_SOURCE_DIR}/src/settings.c
  ${PROJECT_SOURCE_DIR}/src/nearest.c)
target_link_libraries(fuzz_config PRIVATE PkgConfig::INIH)
