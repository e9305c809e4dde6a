// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "maas/base/error.h"
#include "maas/server/http.h"

namespace maas {

// The form that the Accept fields prefer: server-sent events unless they want NDJSON more. Nothing
// when they take neither.
std::optional<StreamFormat> choose_stream_format(std::span<const Header> headers);

std::string_view media_type(StreamFormat format) noexcept;
// Complete header lines that belong to it.
std::string_view stream_headers(StreamFormat format) noexcept;

// These append to `out`. An item is JSON text without line feeds; events are numbered from 0.
void append_item(std::string& out, StreamFormat format, std::size_t number, std::string_view item);
// What ends a stream before its time: an event or line with error, status and request_id.
void append_failure(std::string& out,
                    StreamFormat format,
                    const Error& error,
                    std::string_view request_id);
// Bytes that mean nothing, for a connection that must not look dead.
void append_idle(std::string& out, StreamFormat format);

// One chunk of `Transfer-Encoding: chunked`; nothing for no bytes, which would be the end.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace maas
