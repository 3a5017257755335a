# How the program of the release image is compiled: the same bytes wherever the sources lie, hardened, no dead code.
option(PLIMSOLL_IMAGE "Build the program as the release image ships it" OFF)
if(NOT PLIMSOLL_IMAGE)
  return()
endif()

add_compile_options(
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=./build
  -Wdate-time -ffunction-sections -fdata-sections
  -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  add_compile_options(-mbranch-protection=standard)  # x86's counterpart has no effect with Debian's libc
endif()

# All of it is optimised as one program, by the linker that comes with the compiler.
add_compile_options(-flto=full)
add_link_options(-flto=full -fuse-ld=lld-19 -O2)
add_link_options(
  -Wl,--gc-sections -Wl,--icf=safe -Wl,-O2 -Wl,--as-needed -Wl,--build-id=sha1 -Wl,--strip-all
  -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,-z,pack-relative-relocs)
