// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/worker_session.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "maas/exec/arena.h"
#include "maas/workers/batch_codec.h"
#include "maas/workers/child_process.h"
#include "maas/workers/result_codec.h"

namespace maas {

using wire::Kind;

// Of one slot: the memory that the server writes, and ours. One batch at a time uses it. The answer
// to one comes before the next, but through another process, which orders nothing between the
// threads of this one: the lock does.
struct WorkerSession::Memories {
  std::mutex mutex;
  std::shared_ptr<SharedMemory> request;
  std::shared_ptr<SharedMemory> reply;
};

// One batch: waits for its result and for the return of the model's run(), and then answers. Only
// behind both is it known whether something still looks at the request's memory.
class WorkerSession::Call {
 public:
  Call(std::shared_ptr<const Channel> channel,
       const wire::Message& message,
       std::shared_ptr<Memories> memories,
       ReceivedBatch received)
      : channel_(std::move(channel)),
        message_(message),
        memories_(std::move(memories)),
        received_(std::move(received)) {}

  [[nodiscard]] Batch take_batch() { return std::move(received_.batch); }

  void set(Result<BatchResult> result) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(has_result_, true)) {
        return;  // it answered and then threw
      }
      result_ = std::move(result);
      if (!returned_) {
        return;
      }
    }
    answer();
  }
  void returned() {
    {
      const std::lock_guard lock(mutex_);
      returned_ = true;
      if (!has_result_) {
        return;
      }
    }
    answer();
  }

 private:
  void answer() {
    received_.release();
    const std::lock_guard lock(memories_->mutex);
    wire::Message message = message_;
    message.kind = Kind::kAnswer;
    bool is_new = false;
    try {
      is_new = write(*result_);
    } catch (...) {
      is_new = write(current_error());  // no memory for the result, and this one fits
    }
    result_.reset();  // it may borrow the request's memory
    std::shared_ptr<SharedMemory>& request = memories_->request;
    // Besides us, whoever kept an input: the memory stays theirs.
    message.detail = request.use_count() > 1 ? 1 : 0;
    if (message.detail != 0 || is_large(*request)) {
      request = nullptr;
    }
    const std::shared_ptr<SharedMemory> reply = memories_->reply;
    if (is_large(*reply)) {
      memories_->reply = nullptr;
    }
    message.size = reply->bytes().size();
    channel_->send(message, {}, is_new ? reply.get() : nullptr);
    if (is_new) {
      reply->close_descriptor();
    }
  }

  // Whether it took new memory.
  bool write(const Result<BatchResult>& result) {
    const std::size_t size = result_size(result);
    std::shared_ptr<SharedMemory>& reply = memories_->reply;
    const bool is_new = reply == nullptr || reply->bytes().size() < size;
    if (is_new) {
      reply = SharedMemory::create(size);
    }
    write_result(result, *reply);
    return is_new;
  }
  static bool is_large(const SharedMemory& memory) noexcept {
    return memory.bytes().size() > SharedMemory::kMostKept;
  }

  const std::shared_ptr<const Channel> channel_;
  const wire::Message message_;
  const std::shared_ptr<Memories> memories_;
  ReceivedBatch received_;
  std::mutex mutex_;
  bool has_result_ = false;                    // guarded by mutex_
  std::optional<Result<BatchResult>> result_;  // guarded by mutex_ until it is answered
  bool returned_ = false;                      // guarded by mutex_
};

WorkerSession::WorkerSession(FileDescriptor socket)
    : channel_(std::make_shared<Channel>(std::move(socket))) {
  ChildProcess::end_with_parent();
  Channel::Packet packet;
  if (channel_->receive(packet, true) != Channel::Got::kPacket ||
      packet.message.kind != Kind::kSetup || packet.memory == nullptr ||
      packet.message.size > packet.memory->bytes().size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "this program is a worker of `maas serve`, which starts it; there is no server");
  }
  setup_.assign(reinterpret_cast<const char*>(packet.memory->bytes().data()), packet.message.size);
}

void WorkerSession::fail(std::string_view reason) const noexcept {
  channel_->send({.kind = Kind::kFailed}, reason);
}

void WorkerSession::log(const LogRecord& record) const noexcept {
  std::string text;
  for (const std::string* part : {&record.request_id, &record.message, &record.trace}) {
    text += *part;
    std::replace(text.end() - static_cast<std::ptrdiff_t>(part->size()), text.end(), '\0', ' ');
    text += '\0';
  }
  channel_->send({.kind = Kind::kLog, .detail = static_cast<std::uint32_t>(record.level)}, text);
}

bool WorkerSession::serve(const std::vector<Served>& models) {
  channel_->send({.kind = Kind::kReady});
  Channel::Packet packet;
  for (;;) {
    const Channel::Got got = channel_->receive(packet, true);
    if (got == Channel::Got::kClosed) {
      return false;
    }
    if (got == Channel::Got::kPacket && packet.message.kind == Kind::kStop) {
      return true;
    }
    if (got != Channel::Got::kPacket || packet.message.kind != Kind::kRun ||
        packet.message.model >= models.size()) {
      throw Error(ErrorCode::kInvalidArgument, "the server sent a message that is none");
    }
    run(models, packet);
  }
}

void WorkerSession::run(const std::vector<Served>& models, Channel::Packet& packet) {
  std::shared_ptr<Memories>& memories = slots_[packet.message.slot];
  if (memories == nullptr) {
    memories = std::make_shared<Memories>();
  }
  const Served& served = models[packet.message.model];
  auto received = [&] {
    const std::lock_guard lock(memories->mutex);
    if (packet.memory != nullptr) {
      memories->request = std::move(packet.memory);
    }
    if (memories->request == nullptr) {
      throw Error(ErrorCode::kInvalidArgument, "the server sent a batch without memory");
    }
    return read_batch(memories->request, served.asynchronous);
  }();
  if (!received) {
    throw received.error();
  }
  const auto call =
      std::make_shared<Call>(channel_, packet.message, memories, *std::move(received));
  Arena arena(1);
  const ExecutorContext context{&arena, 1};
  try {
    served.model->run(call->take_batch(), context,
                      [call](Result<BatchResult> result) { call->set(std::move(result)); });
  } catch (...) {
    call->set(current_error());
  }
  call->returned();
}

}  // namespace maas
