# SPDX-License-Identifier: MIT
#
# The command line is part of the program, not of a layer.
set(command_line options options_help settings config nearest)
list(TRANSFORM command_line PREPEND ${PROJECT_SOURCE_DIR}/src/)
list(TRANSFORM command_line APPEND .c)
foreach(test test_options test_config)
  target_sources(${test} PRIVATE ${command_line})
  target_link_libraries(${test} PRIVATE PkgConfig::INIH)
endforeach()
target_sources(test_nearest PRIVATE ${PROJECT_SOURCE_DIR}/src/nearest.c)
