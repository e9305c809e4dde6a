// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/worker_session.h"

#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <sys/prctl.h>

#include "maas/workers/batch_codec.h"
#include "maas/workers/result_codec.h"

namespace maas {
namespace {

using Got = Channel::Got;
using wire::Kind;

class Echo final : public Model {
 public:
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "echo"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    BatchResult result;
    result.outputs = std::move(batch.inputs);
    done(std::move(result));
    done(Error(ErrorCode::kInternal, "twice"));  // changes nothing
  }

 private:
  Signature signature_;
};

// The session on a thread; the test plays the server.
class WorkerSessionTest : public ::testing::Test {
 protected:
  WorkerSessionTest() {
    auto [ours, theirs] = Channel::make_pair();
    server_ = std::make_unique<Channel>(std::move(ours));
    const std::string setup = "what to load";
    const auto memory = SharedMemory::create(setup.size());
    std::memcpy(memory->bytes().data(), setup.data(), setup.size());
    server_->send({.kind = Kind::kSetup, .size = setup.size()}, {}, memory.get());
    session_ = std::make_unique<WorkerSession>(std::move(theirs));
    ::prctl(PR_SET_PDEATHSIG, 0);  // this process is no worker
  }
  ~WorkerSessionTest() override { server_.reset(); }  // then the thread ends

  void serve() {
    thread_ = std::jthread([this] {
      try {
        stopped_ = session_->serve({{std::make_shared<Echo>()}});
      } catch (const Error& error) {
        thrown_ = error.message();
      }
    });
    receive(Kind::kReady);
  }
  void receive(Kind kind) {
    ASSERT_EQ(server_->receive(packet_, true), Got::kPacket);
    ASSERT_EQ(packet_.message.kind, kind);
  }

  std::unique_ptr<Channel> server_;
  std::unique_ptr<WorkerSession> session_;
  Channel::Packet packet_;
  bool stopped_ = false;
  std::string thrown_;
  std::jthread thread_;
};

TEST_F(WorkerSessionTest, reads_what_it_is_to_load_and_says_why_it_cannot) {
  EXPECT_EQ(session_->setup(), "what to load");
  session_->fail("there is no such file");
  receive(Kind::kFailed);
  EXPECT_EQ(packet_.text, "there is no such file");
}

TEST_F(WorkerSessionTest, a_log_record_is_three_texts_whatever_they_hold) {
  session_->log({LogLevel::kError, std::string("a\0b", 3), "r-1", ""});
  receive(Kind::kLog);
  EXPECT_EQ(packet_.text, std::string("r-1\0a b\0\0", 9));
  EXPECT_EQ(packet_.message.detail, 3U);
}

TEST_F(WorkerSessionTest, stops_when_told_to) {
  serve();
  server_->send({.kind = Kind::kStop});
  thread_.join();
  EXPECT_TRUE(stopped_);
}

TEST_F(WorkerSessionTest, ends_when_the_server_has_gone) {
  serve();
  server_.reset();
  thread_.join();
  EXPECT_FALSE(stopped_);
  EXPECT_EQ(thrown_, "");
}

TEST_F(WorkerSessionTest, answers_in_the_slot_and_sequence_of_the_batch) {
  serve();
  Batch batch;
  batch.inputs.push_back(Tensor::zeros(DType::kFloat32, {1}));
  const auto memory = SharedMemory::create(batch_size(batch));
  write_batch(batch, SystemClock(), *memory);
  server_->send({.kind = Kind::kRun, .slot = 3, .sequence = 17}, {}, memory.get());
  receive(Kind::kAnswer);
  EXPECT_EQ(packet_.message.slot, 3U);
  EXPECT_EQ(packet_.message.sequence, 17U);
  EXPECT_EQ(packet_.message.detail, 0U);
  ASSERT_NE(packet_.memory, nullptr);
  const auto result = read_result(*packet_.memory, 1);
  ASSERT_TRUE(result && *result);
  server_->send({.kind = Kind::kRun, .slot = 3, .sequence = 18});  // in the same memory
  receive(Kind::kAnswer);
  EXPECT_EQ(packet_.memory, nullptr);
  server_.reset();
}

TEST_F(WorkerSessionTest, nonsense_from_the_server_ends_it) {
  serve();
  server_->send({.kind = Kind::kRun, .model = 1});
  thread_.join();
  EXPECT_NE(thrown_, "");
}

TEST_F(WorkerSessionTest, a_batch_without_memory_ends_it) {
  serve();
  server_->send({.kind = Kind::kRun});
  thread_.join();
  EXPECT_NE(thrown_, "");
}

TEST(WorkerSession, without_a_server_says_who_starts_it) {
  auto [ours, theirs] = Channel::make_pair();
  ours.close();
  try {
    const WorkerSession session(std::move(theirs));
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("maas serve"), std::string::npos);
  }
  ::prctl(PR_SET_PDEATHSIG, 0);
}

}  // namespace
}  // namespace maas
