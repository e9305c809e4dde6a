// SPDX-License-Identifier: Apache-2.0
#include "maas/server/listener.h"

#include <string>
#include <vector>

#include "transport_fixture.h"
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace maas {
namespace {

using testing::SocketClient;
using testing::TestTransport;

std::string open_error(const std::string& host, int port) {
  TestTransport server;
  IoThread idle(server.transport, "idle");
  Listener listener(idle, [](FileDescriptor) {});
  try {
    listener.open(host, port < 0 ? server.listener->port() : port);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(Listener, port_in_use_is_named_with_the_remedy) {
  const std::string message = open_error("127.0.0.1", -1);
  EXPECT_NE(message.find("on 127.0.0.1 is in use; choose another with --port"), std::string::npos)
      << message;
}

TEST(Listener, address_of_another_machine_is_refused) {
  EXPECT_NE(open_error("192.0.2.1", 0).find("cannot listen on 192.0.2.1"), std::string::npos);
}

TEST(Listener, port_that_is_none_is_refused) {
  EXPECT_EQ(open_error("127.0.0.1", 70000), "port 70000 is not between 0 and 65535");
}

TEST(Listener, host_may_be_a_name) {
  EXPECT_EQ(open_error("localhost", 0), "");
}

TEST(Listener, running_out_of_descriptors_does_not_end_it) {
  TestTransport server;
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  std::vector<FileDescriptor> hoard;
  SocketClient client = server.connect();
  client.get("/target");
  EXPECT_EQ(client.read_answer().status, 200);
  // A client's socket first, then nothing is left for the server's end of it.
  FileDescriptor last(::dup(0));
  const rlimit none{.rlim_cur = static_cast<rlim_t>(last.get() + 1), .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  for (FileDescriptor fd(::dup(0)); fd.is_open(); fd = FileDescriptor(::dup(0))) {
    hoard.push_back(std::move(fd));
  }
  last.close();
  SocketClient refused = server.connect();
  EXPECT_EQ(refused.read_to_end(), "");
  client.get("/target");
  EXPECT_EQ(client.read_answer().status, 200);
  setrlimit(RLIMIT_NOFILE, &before);
  SocketClient next = server.connect();
  next.get("/target");
  EXPECT_EQ(next.read_answer().status, 200);
}

}  // namespace
}  // namespace maas
