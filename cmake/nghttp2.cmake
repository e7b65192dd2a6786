# Limits of its own that nghttp2 has since 1.57, 1.61 and later, and distributions added to earlier ones: lb's are to be
# met first (listeners/http2/meter.h, lb/base/http2_glitches.h).
include(CheckSymbolExists)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::NGHTTP2)
check_symbol_exists(nghttp2_option_set_stream_reset_rate_limit nghttp2/nghttp2.h LB_HAS_RESET_LIMIT)
check_symbol_exists(nghttp2_option_set_max_continuations nghttp2/nghttp2.h LB_HAS_CONTINUATION_LIMIT)
check_symbol_exists(nghttp2_option_set_glitch_rate_limit nghttp2/nghttp2.h LB_HAS_GLITCH_LIMIT)
unset(CMAKE_REQUIRED_LIBRARIES)
set(LB_NGHTTP2_LIMITS LB_HAS_RESET_LIMIT=$<BOOL:${LB_HAS_RESET_LIMIT}>
    LB_HAS_CONTINUATION_LIMIT=$<BOOL:${LB_HAS_CONTINUATION_LIMIT}>
    LB_HAS_GLITCH_LIMIT=$<BOOL:${LB_HAS_GLITCH_LIMIT}>)
