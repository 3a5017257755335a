# What is otherwise in a build with sanitizers.
set(PLIMSOLL_SANITIZED 0)
set(PLIMSOLL_QUICK_OPTIONS "")
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  set(PLIMSOLL_SANITIZED 1)
  # For tests and the command line: to optimise what sanitizers put into large templates takes
  # longer than it saves.
  list(APPEND PLIMSOLL_QUICK_OPTIONS -O0)
endif()

# libFuzzer sees which ways an input has taken inside of policy and webhook.
if(PLIMSOLL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  list(APPEND PLIMSOLL_QUICK_OPTIONS -fno-sanitize=fuzzer-no-link)
endif()
