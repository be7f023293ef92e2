# Cross-builds for Linux on aarch64 with Debian's compiler, and runs what the build itself must run (tests tell CMake
# their names) with qemu-user. scripts/sysroot.sh and scripts/openssl.sh --target aarch64 make the two folders.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH wvds_tree)
set(CMAKE_SYSROOT ${wvds_tree}/build/sysroot-aarch64)
set(WVDS_OPENSSL ${wvds_tree}/build/openssl-aarch64 CACHE PATH "OpenSSL prefix, as scripts/openssl.sh provides it")
set(CMAKE_FIND_ROOT_PATH ${WVDS_OPENSSL} ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${CMAKE_SYSROOT})
