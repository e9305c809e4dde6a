// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/worker.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "maas/exec/wake.h"
#include "maas/workers/batch_codec.h"
#include "maas/workers/result_codec.h"

namespace maas {
namespace {

using std::chrono::milliseconds;
using wire::Kind;

// Importing and loading may take minutes; a process that hangs in it is not waited for for ever.
constexpr auto kStartLimit = std::chrono::minutes(10);
constexpr auto kStopPatience = std::chrono::seconds(2);
constexpr auto kExitPatience = std::chrono::seconds(1);

TimePoint machine_now() noexcept {
  return std::chrono::steady_clock::now();
}

// The batch's clock may be one that a test moves; a process hangs on the machine's.
TimePoint overdue_at(const WorkerTask& task, const Clock& clock) noexcept {
  const Deadline deadline = task.deadline();
  return deadline.is_never() ? TimePoint::max()
                             : machine_now() + (deadline.at() - clock.now()) + WorkerSlots::kGrace;
}

std::string_view next_part(std::string_view& text) noexcept {
  const std::string_view part = text.substr(0, text.find('\0'));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

}  // namespace

Worker::Worker(int index, const Settings& settings, Owner& owner)
    : index_(index),
      settings_(settings),
      owner_(owner),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      state_(State{nullptr, WorkerSlots(settings.most_in_flight)}) {
  if (!timer_.is_open()) {
    throw Error(ErrorCode::kOverloaded, "no timer for a worker: too many descriptors are open");
  }
}

Worker::~Worker() {
  stop();
}

void Worker::start() {
  thread_ = Thread("maas-worker-" + std::to_string(index_), [this] { serve(); });
}

void Worker::stop() noexcept {
  stopping_ = true;
  state_.with([&](State& state) { set_alarm(state, TimePoint::min()); });
  thread_.join();
}

// The timer is set only when it has to ring earlier: as a rule the one that is set already does.
void Worker::set_alarm(State& state, TimePoint at) {
  if (at >= state.alarm) {
    return;
  }
  state.alarm = at;
  const auto ns = std::max<std::int64_t>(std::chrono::nanoseconds(at.time_since_epoch()).count(),
                                         1);  // 0 would stop the timer
  itimerspec when{};
  when.it_value.tv_sec = ns / 1'000'000'000;
  when.it_value.tv_nsec = ns % 1'000'000'000;
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// Sending

std::optional<std::size_t> Worker::room_for(const WorkerTask& task) const {
  return state_.with([&](const State& state) -> std::optional<std::size_t> {
    if (state.channel == nullptr || state.retired || !state.slots.has_room_for(task)) {
      return std::nullopt;
    }
    return state.slots.running();
  });
}

std::optional<Worker::Place> Worker::reserve(const TaskPtr& task) {
  const TimePoint overdue = overdue_at(*task, *settings_.clock);
  return state_.with([&](State& state) -> std::optional<Place> {
    if (state.channel == nullptr || state.retired || !state.slots.has_room_for(*task)) {
      return std::nullopt;
    }
    const std::uint32_t slot = state.slots.take(task, overdue);
    set_alarm(state, overdue);
    return Place{this, task, state.channel, slot, state.slots.at(slot).sequence};
  });
}

void Worker::send(const Place& place) {
  try {
    place.worker->write(place);
  } catch (...) {  // no memory for the batch
    const Error why = current_error().as_final();
    const bool ours = place.worker->state_.with(
        [&](State& state) { return state.slots.free_if(place.slot, place.sequence); });
    if (ours) {
      place.worker->owner_.answered(place.task, why);
    }
  }
}

// The process may end at any time: then its slots are another's, and this message goes nowhere.
void Worker::write(const Place& place) {
  const Batch& batch = place.task->batch;
  const std::size_t size = batch_size(batch);
  auto memory = state_.with([&](State& state) { return state.slots.at(place.slot).request; });
  const bool is_new = memory == nullptr || memory->bytes().size() < size;
  if (is_new) {
    memory = SharedMemory::create(size);
  }
  const auto flags = write_batch(batch, *settings_.clock, *memory);
  const bool still_there = state_.with([&](State& state) {
    WorkerSlots::Slot& slot = state.slots.at(place.slot);
    if (slot.task != place.task || slot.sequence != place.sequence) {
      return false;
    }
    slot.request = memory;
    slot.watch(flags);
    return true;
  });
  if (still_there) {
    const wire::Message message{.kind = Kind::kRun,
                                .slot = place.slot,
                                .model = place.task->model,
                                .sequence = place.sequence,
                                .size = size};
    place.channel->send(message, {},
                        is_new ? memory.get() : nullptr);  // if it has gone, we hear it
    if (is_new) {                                          // else it may be another batch's by now
      memory->close_descriptor();
    }
  }
}

// Hearing

void Worker::serve() noexcept {
  bool again = true;
  while (again && !stopping_) {
    End end = live();
    again = owner_.ended(*this, std::move(end));
  }
}

Worker::End Worker::live() {
  End end;
  try {
    auto [ours, theirs] = Channel::make_pair();
    const auto channel = std::make_shared<Channel>(std::move(ours));
    ChildProcess process(settings_.command, std::move(theirs));
    end.pid = process.pid();
    pid_ = process.pid();
    const auto setup = SharedMemory::create(settings_.setup.size());
    std::memcpy(setup->bytes().data(), settings_.setup.data(), settings_.setup.size());
    channel->send({.kind = Kind::kSetup, .size = settings_.setup.size()}, {}, setup.get());
    converse(channel, end);
    state_.with([&](State& state) {
      state.channel = nullptr;
      state.retired = false;
    });
    end_process(*channel, process, end);
  } catch (...) {
    end.failed = true;
    end.how = current_error().message();
  }
  end.tasks = state_.with([](State& state) {
    state.channel = nullptr;
    return state.slots.take_all();
  });
  pid_ = 0;
  return end;
}

void Worker::converse(const std::shared_ptr<Channel>& channel, End& end) {
  start_limit_ = machine_now() + kStartLimit;
  state_.with([&](State& state) { set_alarm(state, start_limit_); });
  std::array<pollfd, 2> sources{pollfd{channel->fd(), POLLIN, 0}, pollfd{timer_.get(), POLLIN, 0}};
  bool goes_on = true;
  while (goes_on) {
    ::poll(sources.data(), sources.size(), -1);
    if (sources[0].revents != 0) {
      goes_on = hear(channel, end);
    }
    if (goes_on && sources[1].revents != 0) {
      goes_on = look_at_time(end);
    }
  }
}

// All that has come; false when the process must go or has gone.
bool Worker::hear(const std::shared_ptr<Channel>& channel, End& end) {
  const WakeScope wakes;
  Channel::Packet packet;
  for (;;) {
    const Channel::Got got = channel->receive(packet, false);
    if (got == Channel::Got::kPacket && handle(channel, packet, end)) {
      continue;
    }
    if (got == Channel::Got::kGarbage) {
      end.how = "sent what is no message";
    }
    return got == Channel::Got::kNothing;
  }
}

bool Worker::handle(const std::shared_ptr<Channel>& channel, Channel::Packet& packet, End& end) {
  switch (packet.message.kind) {
    case Kind::kReady:
      end.ready = true;
      start_limit_ = TimePoint::max();
      state_.with([&](State& state) { state.channel = channel; });
      owner_.ready(*this);
      return true;
    case Kind::kAnswer:
      end.answered = true;
      if (!take_answer(packet)) {
        end.how = "sent an answer that is none";
        return false;
      }
      return true;
    case Kind::kLog: pass_on_log(packet); return true;
    case Kind::kFailed:
      end.failed = true;
      end.how = packet.text;
      return false;
    default: end.how = "sent a message that only the server sends"; return false;
  }
}

bool Worker::take_answer(Channel::Packet& packet) {
  TaskPtr task;
  std::shared_ptr<SharedMemory> reply;
  state_.with([&](State& state) {
    WorkerSlots::Slot* slot = state.slots.answered_by(packet.message);
    if (slot == nullptr) {
      return;
    }
    if (packet.memory != nullptr) {
      slot->reply = std::move(packet.memory);
    }
    task = slot->task;
    reply = slot->reply;
  });
  if (reply == nullptr) {
    return false;
  }
  auto result = read_result(*reply, task->batch.rows);
  if (!result) {
    return false;
  }
  state_.with([&](State& state) {
    state.slots.free(state.slots.at(packet.message.slot), packet.message.detail != 0);
    if (state.retired && state.slots.overdue(machine_now()) == 0) {
      state.retired = false;  // it was only slow
    }
  });
  owner_.answered(task, *std::move(result));
  return true;
}

void Worker::pass_on_log(const Channel::Packet& packet) const {
  if (!settings_.log) {
    return;
  }
  std::string_view text = packet.text;
  LogRecord record;
  record.level = static_cast<LogLevel>(
      std::min(packet.message.detail, static_cast<std::uint32_t>(LogLevel::kError)));
  record.request_id = next_part(text);
  record.message = next_part(text);
  record.trace = next_part(text);
  settings_.log(record);
}

// The timer rang. False when the process must go.
bool Worker::look_at_time(End& end) {
  if (stopping_) {
    end.told = true;
    return false;
  }
  std::uint64_t rings = 0;
  (void)::read(timer_.get(), &rings, sizeof(rings));
  const TimePoint now = machine_now();
  const bool starting = now >= start_limit_;
  return state_.with([&](State& state) {
    state.alarm = TimePoint::max();
    const std::size_t overdue = state.slots.overdue(now);
    end.hung = starting || (overdue > 0 && overdue == state.slots.running());
    if (end.hung) {
      end.how = starting ? "was not ready in time" : "did not answer before the deadline";
      return false;
    }
    state.retired = overdue > 0;
    set_alarm(state,
              stopping_ ? TimePoint::min() : std::min(state.slots.next_overdue(now), start_limit_));
    return true;
  });
}

void Worker::end_process(const Channel& channel, ChildProcess& process, End& end) {
  if (end.told && end.ready) {
    channel.send({.kind = Kind::kStop});
    let_finish(channel);
  }
  std::optional<Exit> exit;
  if (!end.hung && (end.how.empty() || end.failed) && !(end.told && !end.ready)) {
    exit = process.wait(kExitPatience);
  }
  if (!exit) {
    process.kill();
    while (!(exit = process.wait(std::chrono::seconds(1)))) {
    }
    if (end.how.empty()) {
      end.how = "closed its channel";
    }
    return;
  }
  if (end.how.empty()) {
    end.how = exit->describe();
    end.cause = exit->signal == SIGKILL ? DeathWatch::Cause::kOutside : DeathWatch::Cause::kItself;
  }
}

// What it logs at its end is still heard.
void Worker::let_finish(const Channel& channel) const {
  const TimePoint until = machine_now() + kStopPatience;
  Channel::Packet packet;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - machine_now()).count();
    pollfd source{channel.fd(), POLLIN, 0};
    if (left <= 0 || ::poll(&source, 1, static_cast<int>(left)) != 1) {
      return;
    }
    const Channel::Got got = channel.receive(packet, false);
    if (got == Channel::Got::kClosed || got == Channel::Got::kGarbage) {
      return;
    }
    if (got == Channel::Got::kPacket && packet.message.kind == Kind::kLog) {
      pass_on_log(packet);
    }
  }
}

}  // namespace maas
