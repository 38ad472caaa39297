# SPDX-License-Identifier: MIT
# Every *.scn file here is a test: see run_scenario.c.
add_executable(run_scenario ${CMAKE_CURRENT_LIST_DIR}/run_scenario.c
                            ${CMAKE_CURRENT_LIST_DIR}/client_world.c
                            ${CMAKE_CURRENT_LIST_DIR}/honesty.c
                            ${CMAKE_CURRENT_LIST_DIR}/host_world.c
                            ${CMAKE_CURRENT_LIST_DIR}/local_sources.c
                            ${CMAKE_CURRENT_LIST_DIR}/log_world.c
                            ${CMAKE_CURRENT_LIST_DIR}/peer_world.c
                            ${CMAKE_CURRENT_LIST_DIR}/trace.c
                            ${CMAKE_CURRENT_LIST_DIR}/world.c)
target_include_directories(run_scenario PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(run_scenario PRIVATE ${layers})
file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.scn)
foreach(scenario ${scenarios})
  get_filename_component(name ${scenario} NAME_WE)
  add_test(NAME scenario.${name} COMMAND run_scenario ${scenario})
  set_tests_properties(scenario.${name} PROPERTIES LABELS scenario
    ENVIRONMENT "${test_env};OVPNWATCH_LINES=${lines_dir}" TIMEOUT 60)
endforeach()
