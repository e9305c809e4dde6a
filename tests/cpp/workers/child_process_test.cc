// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/child_process.h"

#include <array>
#include <chrono>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "maas/base/error.h"
#include "maas/exec/thread.h"

namespace maas {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Runs a line of shell and gives what it wrote to its one descriptor.
std::string output_of(const std::string& line, std::vector<std::string> environment = {}) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const FileDescriptor reader(ends[0]);
  ChildProcess process({{"/bin/sh", "-c", line}, std::move(environment)}, FileDescriptor(ends[1]));
  std::string text;
  std::array<char, 256> buffer{};
  for (ssize_t got = 0; (got = ::read(reader.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  EXPECT_TRUE(process.wait(60s));
  return text;
}

FileDescriptor null() {
  return FileDescriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

TEST(ChildProcess, has_our_environment_and_what_is_set_anew) {
  ::setenv("MAAS_TEST_KEPT", "kept", 1);
  ::setenv("MAAS_TEST_SET", "old", 1);
  EXPECT_EQ(output_of("echo $MAAS_TEST_KEPT $MAAS_TEST_SET >&3", {"MAAS_TEST_SET=new"}),
            "kept new\n");
  ::unsetenv("MAAS_TEST_KEPT");
  ::unsetenv("MAAS_TEST_SET");
}

TEST(ChildProcess, has_one_descriptor_beside_the_standard_ones) {
  const FileDescriptor opened(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int careless = ::fcntl(opened.get(), F_DUPFD, 50);  // not closed by exec
  EXPECT_EQ(output_of("for f in 4 5 6 7 8 9 " + std::to_string(careless) +
                      "; do [ -e /proc/$$/fd/$f ] && echo $f; done >&3"),
            "");
  ::close(careless);
}

TEST(ChildProcess, blocks_no_signal_also_when_a_thread_that_blocks_all_starts_it) {
  std::string mask;
  Thread("test", [&] { mask = output_of("grep SigBlk /proc/self/status >&3"); }).join();
  EXPECT_THAT(mask, HasSubstr("0000000000000000"));
}

TEST(ChildProcess, tells_how_it_ended) {
  ChildProcess normal({{"/bin/sh", "-c", "exit 7"}, {}}, null());
  EXPECT_EQ(normal.wait(60s)->describe(), "ended with exit code 7");
  ChildProcess crashed({{"/bin/sh", "-c", "kill -SEGV $$"}, {}}, null());
  EXPECT_EQ(crashed.wait(60s)->describe(), "was killed by signal 11 (Segmentation fault)");
}

TEST(ChildProcess, is_waited_for_no_longer_than_said) {
  ChildProcess process({{"/bin/sleep", "60"}, {}}, null());
  EXPECT_FALSE(process.wait(1ms));
  process.kill();
  EXPECT_EQ(process.wait(60s)->signal, SIGKILL);
  EXPECT_EQ(process.wait(0ms)->signal, SIGKILL);
}

TEST(ChildProcess, is_gone_with_its_owner) {
  pid_t pid = 0;
  {
    const ChildProcess process({{"/bin/sleep", "60"}, {}}, null());
    pid = process.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ChildProcess, a_program_that_cannot_be_started_is_an_error_that_names_it) {
  try {
    const ChildProcess process({{"/nowhere/program"}, {}}, null());
    FAIL() << "it was started";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("cannot start /nowhere/program"));
  }
}

}  // namespace
}  // namespace maas
