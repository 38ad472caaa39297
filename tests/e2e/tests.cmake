# SPDX-License-Identifier: MIT
# The program as its users run it, against a fake daemon: see e2e.py.
add_test(NAME e2e.program COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/e2e.py
         $<TARGET_FILE:ovpnwatch>)
set_tests_properties(e2e.program PROPERTIES LABELS e2e TIMEOUT 300
  ENVIRONMENT "${test_env};OVPNWATCH_LINES=${lines_dir}")
