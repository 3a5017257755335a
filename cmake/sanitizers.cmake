# What is otherwise in a build with sanitizers.
set(PLIMSOLL_SANITIZED 0)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(PLIMSOLL_SANITIZED 1)
endif()

# To optimise unit tests takes longer than it saves; so does it for the command line with what
# sanitizers put into its large templates.
set(PLIMSOLL_QUICK_OPTIONS -O0 -U_FORTIFY_SOURCE)

# libFuzzer sees which ways an input has taken inside of policy and webhook.
if(PLIMSOLL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  list(APPEND PLIMSOLL_QUICK_OPTIONS -fno-sanitize=fuzzer-no-link)
endif()
