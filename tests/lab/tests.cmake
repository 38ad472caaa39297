# SPDX-License-Identifier: MIT
#
# The laboratory: one test a scenario of scenarios.py. Each has namespaces of its own, so they may
# run side by side; two locks keep it to two at a time, for the measurements want a quiet machine.
# Exit code 77: the machine cannot have it (not root, no tun device, a program missing).
set(lab ${CMAKE_CURRENT_LIST_DIR})
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lab}/scenarios.py)
file(STRINGS ${lab}/scenarios.py lab_scenarios REGEX "^def [a-z0-9_]+\\(lab\\):")
set(lab_lock 0)
foreach(line ${lab_scenarios})
  string(REGEX REPLACE "^def ([a-z0-9_]+).*" "\\1" name ${line})
  add_test(NAME lab.${name} COMMAND Python3::Interpreter -B ${lab}/lab.py run --minutes 1
           --ovpnwatch $<TARGET_FILE:ovpnwatch> ${name})
  set_tests_properties(lab.${name} PROPERTIES LABELS lab SKIP_RETURN_CODE 77 TIMEOUT 180
                       ENVIRONMENT "${test_env}" RESOURCE_LOCK lab${lab_lock})
  math(EXPR lab_lock "1 - ${lab_lock}")
endforeach()

# Ten quiet minutes: asked for by name (contrib/test --long), too long for every run.
add_test(NAME soak.healthy CONFIGURATIONS soak COMMAND Python3::Interpreter -B ${lab}/lab.py run
         --minutes 10 --ovpnwatch $<TARGET_FILE:ovpnwatch> healthy)
set_tests_properties(soak.healthy PROPERTIES LABELS soak SKIP_RETURN_CODE 77 TIMEOUT 780
                     ENVIRONMENT "${test_env}")
