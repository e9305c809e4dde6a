// SPDX-License-Identifier: Apache-2.0
#pragma once

// Boost.Asio as the transport uses it; only headers of the transport include this one. Handlers of
// a context run on one thread, and what others post to it passes through its mutex: the fences
// around each handler would order nothing, and ThreadSanitizer does not know them.
// NOLINTNEXTLINE(readability-identifier-naming): Boost.Asio chose the name
#define BOOST_ASIO_DISABLE_FENCED_BLOCK

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
