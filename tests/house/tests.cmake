# SPDX-License-Identifier: MIT
#
# The tests that keep the house: layers, names, licence, form, and that every event which any other
# test made is as proto/events.schema.json says. Label "house"; what a check needs and does not find
# is said by the check, which then counts as skipped.
set(house ${CMAKE_CURRENT_LIST_DIR})
if(NOT DEFINED lines_dir)
  set(lines_dir ${CMAKE_BINARY_DIR}/tests/lines)
endif()
file(MAKE_DIRECTORY ${lines_dir})

# The python3 of the PATH may be another than the distribution's, which has the packages of apt.
if(NOT OVPNWATCH_PYTHON)
  foreach(candidate ${Python3_EXECUTABLE} /usr/bin/python3)
    execute_process(COMMAND ${candidate} -c "import jsonschema" RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(NOT failed)
      set(OVPNWATCH_PYTHON ${candidate} CACHE FILEPATH "a python3 that has jsonschema")
      break()
    endif()
  endforeach()
endif()
if(OVPNWATCH_PYTHON)
  set(Python3_EXECUTABLE ${OVPNWATCH_PYTHON})
else()
  message(STATUS "no python3 with jsonschema: the events of the tests will not be validated "
                 "(apt install python3-jsonschema)")
endif()

function(house_test name)
  add_test(NAME house.${name} COMMAND ${Python3_EXECUTABLE} -B ${ARGN})
  set_tests_properties(house.${name} PROPERTIES LABELS house SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()

set(header_flags)
foreach(folder ${UV_INCLUDE_DIRS} ${JANSSON_INCLUDE_DIRS} ${CRYPTO_INCLUDE_DIRS})
  list(APPEND header_flags -I${folder})
endforeach()
house_test(includes ${house}/check_includes.py)
house_test(headers ${house}/check_headers.py ${header_flags})
house_test(files ${house}/check_files.py)
house_test(format ${house}/check_format.py)
house_test(names ${house}/check_names.py $<TARGET_FILE:ovpnwatch>)
house_test(manual ${house}/check_manual.py)
house_test(symbols_proto ${house}/check_symbols.py ${CMAKE_NM} proto $<TARGET_FILE:ovpnwatch_proto>)
house_test(symbols_core ${house}/check_symbols.py ${CMAKE_NM} core $<TARGET_FILE:ovpnwatch_core>
           $<TARGET_FILE:ovpnwatch_proto>)
house_test(validator ${house}/test_validate_events.py)
house_test(events ${house}/validate_events.py ${lines_dir})

# Before the first test the lines of the last run go, after the last one house.events reads what is
# there. Not of label "house": `ctest -L house` by itself looks at what the last full run left.
add_test(NAME lines.fresh COMMAND ${CMAKE_COMMAND} -E rm -rf ${lines_dir})
add_test(NAME lines.folder COMMAND ${CMAKE_COMMAND} -E make_directory ${lines_dir})
set_tests_properties(lines.folder PROPERTIES DEPENDS lines.fresh)

# Once all tests are known (this file is not the last to add some): tell them where to leave their
# lines, and put them between the two.
function(house_order)
  get_property(tests DIRECTORY PROPERTY TESTS)
  list(FILTER tests EXCLUDE REGEX "^(house|lines)\\.")
  foreach(test ${tests})
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT OVPNWATCH_LINES=${lines_dir})
    set_property(TEST ${test} APPEND PROPERTY DEPENDS lines.folder)
  endforeach()
  set_property(TEST house.events PROPERTY DEPENDS ${tests} lines.folder)
endfunction()
cmake_language(DEFER CALL house_order)
