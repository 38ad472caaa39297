# SPDX-License-Identifier: MIT
#
# The laboratory: one test a scenario of scenarios.py and logs.py, and a case of local_clocks.py and
# relay_cases.py. Each has namespaces of its own, so they may run side by side; two locks keep it to two at
# a time, for the measurements want a quiet machine, and clocks.py takes both.
# Exit code 77: the machine cannot have it (not root, no tun device, a program missing).
set(lab ${CMAKE_CURRENT_LIST_DIR})
set(lab_lock 0)

# lab_tests(FILE WORD PREFIX COMMAND…): a test for each function of the file whose parameter is WORD.
function(lab_tests file word prefix)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lab}/${file})
  file(STRINGS ${lab}/${file} found REGEX "^def [a-z0-9_]+\\(${word}\\):")
  foreach(line ${found})
    string(REGEX REPLACE "^def ([a-z0-9_]+).*" "\\1" name ${line})
    add_test(NAME lab.${prefix}${name} COMMAND Python3::Interpreter -B ${ARGN}
             --ovpnwatch $<TARGET_FILE:ovpnwatch> ${name})
    set_tests_properties(lab.${prefix}${name} PROPERTIES LABELS lab SKIP_RETURN_CODE 77 TIMEOUT 180
                         ENVIRONMENT "${test_env}" RESOURCE_LOCK lab${lab_lock})
    math(EXPR lab_lock "1 - ${lab_lock}")
  endforeach()
  set(lab_lock ${lab_lock} PARENT_SCOPE)
endfunction()
lab_tests(scenarios.py lab "" ${lab}/lab.py run --minutes 1)
lab_tests(logs.py lab "" ${lab}/lab.py run)
lab_tests(server_scenarios.py lab "" ${lab}/lab.py run)
lab_tests(local_clocks.py bench clock. ${lab}/local_clocks.py run)
lab_tests(relay_cases.py bench relay. ${lab}/relay.py run)
lab_tests(relay_crowd.py bench relay. ${lab}/relay.py run)

# Its rows mostly wait; one more test of the laboratory beside it does no harm.
add_test(NAME lab.matrix COMMAND Python3::Interpreter -B ${lab}/matrix --spread
         --ovpnwatch $<TARGET_FILE:ovpnwatch>)
set_tests_properties(lab.matrix PROPERTIES LABELS lab SKIP_RETURN_CODE 77 TIMEOUT 600 COST 1000
                     ENVIRONMENT "${test_env}" RESOURCE_LOCK lab0)

add_test(NAME lab.clocks COMMAND Python3::Interpreter -B ${lab}/clocks.py --spread
         --ovpnwatch $<TARGET_FILE:ovpnwatch>)
set_tests_properties(lab.clocks PROPERTIES LABELS lab SKIP_RETURN_CODE 77 TIMEOUT 300
                     ENVIRONMENT "${test_env}" RESOURCE_LOCK "lab0;lab1")

# Asked for by name (contrib/test --long), too long for every run: ten quiet minutes, each key,
# protocol and wire, and every fault in all its variants.
add_test(NAME soak.clocks CONFIGURATIONS soak COMMAND Python3::Interpreter -B ${lab}/clocks.py --all
         --ovpnwatch $<TARGET_FILE:ovpnwatch>)
set_tests_properties(soak.clocks PROPERTIES LABELS soak SKIP_RETURN_CODE 77 TIMEOUT 1200
                     ENVIRONMENT "${test_env}")
add_test(NAME soak.matrix CONFIGURATIONS soak COMMAND Python3::Interpreter -B ${lab}/matrix --all
         --ovpnwatch $<TARGET_FILE:ovpnwatch>)
set_tests_properties(soak.matrix PROPERTIES LABELS soak SKIP_RETURN_CODE 77 TIMEOUT 2400
                     ENVIRONMENT "${test_env}")
add_test(NAME soak.healthy CONFIGURATIONS soak COMMAND Python3::Interpreter -B ${lab}/lab.py run
         --minutes 10 --ovpnwatch $<TARGET_FILE:ovpnwatch> healthy)
set_tests_properties(soak.healthy PROPERTIES LABELS soak SKIP_RETURN_CODE 77 TIMEOUT 780
                     ENVIRONMENT "${test_env}")
