# One way to declare the product's libraries, tests and fuzz targets.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# A sanitized build compiles a target's files together, as the cross-build does. The others compile each by itself, which
# shows missing includes.
if(CMAKE_BUILD_TYPE STREQUAL "Sanitize")
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)
endif()

# scripts/openssl.sh makes this link to the OpenSSL that it found or built.
set(WVDS_OPENSSL ${PROJECT_SOURCE_DIR}/build/openssl CACHE PATH "OpenSSL prefix, as scripts/openssl.sh provides it")
set(OPENSSL_ROOT_DIR ${WVDS_OPENSSL})
set(OPENSSL_NO_DEFAULT_PATH ON)
find_package(OpenSSL 3.5 REQUIRED)
find_package(Threads REQUIRED)
file(REAL_PATH ${WVDS_OPENSSL} WVDS_OPENSSL_REAL)
set(CMAKE_BUILD_RPATH ${WVDS_OPENSSL_REAL}/lib)

# OpenSSL's macros put the name of the source file into the program. For what uses them: without the builder's folder.
set(wvds_relative_names -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)

add_library(wvds_options INTERFACE)
target_compile_options(wvds_options INTERFACE -Wall -Wextra -Werror -fstack-protector-strong)
target_include_directories(wvds_options INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang warns about functions that libstdc++ 12 itself calls (std::get_temporary_buffer in stable_sort)
  target_compile_options(wvds_options INTERFACE -Wno-deprecated-declarations)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # warns about anonymous namespaces in files that the compiled one includes
  target_compile_options(wvds_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()
# What compiler and linker offer against an attacker; tests/dist/hardening_test.py looks for it in what is delivered. Local
# variables are not filled with zeros: some are buffers of 64 KB, and tests/constant_time and the analyzers find reads of
# what was never written.
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  # The library's assertions: an index out of range or an empty optional ends the process, which is better than going on.
  target_compile_definitions(wvds_options INTERFACE _FORTIFY_SOURCE=3 _GLIBCXX_ASSERTIONS)
  target_compile_options(wvds_options INTERFACE -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    target_compile_options(wvds_options INTERFACE -fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
    target_compile_options(wvds_options INTERFACE -mbranch-protection=standard)
  endif()
  include(CheckPIESupported) # from here on programs are linked with -pie, whatever the compiler does by itself
  check_pie_supported()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# wvds_library(name SOURCES ... [LIBS ...])
function(wvds_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC wvds_options ${ARG_LIBS})
endfunction()

add_custom_target(portable_tests)
add_custom_target(tsan_tests) # what a build with ThreadSanitizer runs: those with the label `tsan`

# wvds_test(name SOURCES ... [LIBS ...] [LABELS ...] [TIMEOUT seconds] [EACH_FILE])
# One GoogleTest binary. Those with the label `portable` want nothing of the machine but a C library (no seccomp, ptrace,
# peers, timing): a cross-build runs these, and only these, in an emulator. EACH_FILE: a sanitized build, too, compiles
# each file by itself, because their names collide.
function(wvds_test name)
  if(NOT WVDS_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "EACH_FILE" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} wvds_options GTest::gtest_main Threads::Threads)
  target_compile_definitions(${name} PRIVATE WVDS_SOURCE_DIR="${PROJECT_SOURCE_DIR}" WVDS_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # Compiling the tests is most of a build, and optimising them half of that; what they test is optimised.
  target_compile_options(${name} PRIVATE -O0 -U_FORTIFY_SOURCE)
  if(ARG_EACH_FILE)
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  endif()
  if("tsan" IN_LIST ARG_LABELS)
    add_dependencies(tsan_tests ${name})
  endif()
  if("portable" IN_LIST ARG_LABELS)
    add_dependencies(portable_tests ${name})
  elseif(CMAKE_CROSSCOMPILING)
    set_property(GLOBAL APPEND PROPERTY wvds_not_portable ${name})
    return() # finding out its tests would run it
  endif()
  wvds_test_cases(${name} ${name} TIMEOUT ${ARG_TIMEOUT} LABELS ${ARG_LABELS})
endfunction()

# wvds_test_cases(program name TIMEOUT seconds [LABELS ...] [ENVIRONMENT ...]): the ctest entries of a GoogleTest binary,
# one for each test in it: name.TEST. A skipped test shows as such. In a sanitized build and in an emulator, where programs
# take long to start, all run in one process: name.all_cases, of which scripts/junit_results.py takes the results apart.
function(wvds_test_cases program name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LABELS;ENVIRONMENT" ${ARGN})
  if(CMAKE_BUILD_TYPE STREQUAL "Sanitize" OR CMAKE_CROSSCOMPILING)
    set(entry ${name}.all_cases)
    add_test(NAME ${entry} COMMAND ${program} --gtest_output=xml:${PROJECT_BINARY_DIR}/gtest/${entry}.xml)
    set_tests_properties(${entry} PROPERTIES TIMEOUT 900 LABELS "${ARG_LABELS}" ENVIRONMENT "${ARG_ENVIRONMENT}")
  else()
    include(GoogleTest)
    string(REPLACE ";" "\\;" labels "${ARG_LABELS}")
    if(ARG_ENVIRONMENT) # an empty value would be lost, and the next word be taken for it
      set(environment ENVIRONMENT "${ARG_ENVIRONMENT}")
    endif()
    gtest_discover_tests(${program} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${ARG_TIMEOUT} ${environment} LABELS "${labels}")
  endif()
endfunction()

# wvds_fuzz(name SOURCES ... [LIBS ...] [CORPUS folder]): a libFuzzer target; built by the fuzz preset only.
function(wvds_fuzz name)
  if(NOT WVDS_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} wvds_options)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  if(ARG_CORPUS) # where ./check finds the seeds
    file(WRITE ${PROJECT_BINARY_DIR}/fuzz/${name}.corpus ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_CORPUS})
  endif()
endfunction()
