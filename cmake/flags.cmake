# Warnings are errors, with gcc and clang alike; hardening for every build that is shipped.
set(LB_WARNINGS
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Wenum-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Werror)
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-fno-omit-frame-pointer -fstack-protector-strong)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    include(CheckIPOSupported)
    check_ipo_supported(RESULT lb_has_lto OUTPUT lb_lto_says)
    if(lb_has_lto)
        set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
    endif()
    add_compile_definitions(_FORTIFY_SOURCE=2)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    add_link_options(-pie -Wl,-z,relro,-z,now)
endif()

set(LB_SANITIZE "" CACHE STRING "comma-separated sanitizers, for example address,undefined")
if(LB_SANITIZE)
    add_compile_options(-fsanitize=${LB_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${LB_SANITIZE})
endif()
option(LB_COVERAGE "count which lines the tests run" OFF)
if(LB_COVERAGE)
    # Several threads count.
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
