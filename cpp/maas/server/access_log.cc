// SPDX-License-Identifier: Apache-2.0
#include "maas/server/access_log.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr auto kGather = std::chrono::milliseconds(50);  // lines are written together
constexpr int kLastWrite = 1000;                         // ms that a reader has at the end
constexpr int kFileMode = 0640;

FileDescriptor open_log(const std::string& path) {
  FileDescriptor file(
      path == "-" ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
                  : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode));
  if (!file.is_open()) {
    throw Error(ErrorCode::kUnavailable, "cannot write the access log '" + path +
                                             "': " + std::generic_category().message(errno) +
                                             "; choose another with --access-log");
  }
  return file;
}

void append_time(std::string& out, std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  out.append(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts));
  const int n = std::snprintf(text.data(), text.size(), ".%03dZ", static_cast<int>(unix_ms % 1000));
  out.append(text.data(), static_cast<std::size_t>(n));
}

// What may stand in a line of text and in a JSON string alike; the rest as %XX.
void append_plain(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (c > ' ' && c <= '~' && c != '"' && c != '\\') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
}

template <std::size_t kLongest>
void append_plain(std::string& out, const ShortText<kLongest>& text) {
  append_plain(out, text.view().empty() ? std::string_view("-") : text.view());
  out += text.is_cut() ? "..." : "";
}

void append_milliseconds(std::string& out, Duration took) {
  std::array<char, 32> text{};
  const double ms = std::chrono::duration<double, std::milli>(took).count();
  const int n = std::snprintf(text.data(), text.size(), "%.3f", ms);
  out.append(text.data(), static_cast<std::size_t>(n));
}

}  // namespace

void append_text_line(std::string& out, const AccessRecord& record) {
  append_time(out, record.unix_ms);
  out += " access  ";
  append_plain(out, record.client);
  out += ' ';
  append_plain(out, record.method);
  out += ' ';
  append_plain(out, record.path);
  out += ' ' + std::to_string(record.status) + ' ';
  append_milliseconds(out, record.took);
  out += "ms " + std::to_string(record.bytes_in) + "B in " + std::to_string(record.bytes_out) +
         "B out [";
  append_plain(out, record.id.text());
  out += ']';
  if (!record.trace.view().empty()) {
    out += " trace=";
    append_plain(out, record.trace);
  }
  out += '\n';
}

void append_json_line(std::string& out, const AccessRecord& record) {
  const auto text = [&out](std::string_view key, const auto& value) {
    out += ",\"";
    out += key;
    out += "\":\"";
    append_plain(out, value);
    out += '"';
  };
  out += "{\"time\":\"";
  append_time(out, record.unix_ms);
  out += "\",\"level\":\"info\",\"message\":\"access\"";
  text("client", record.client);
  text("method", record.method);
  text("path", record.path);
  out += ",\"status\":" + std::to_string(record.status) + ",\"duration_ms\":";
  append_milliseconds(out, record.took);
  out += ",\"bytes_in\":" + std::to_string(record.bytes_in) +
         ",\"bytes_out\":" + std::to_string(record.bytes_out);
  text("request_id", record.id.text());
  if (!record.trace.view().empty()) {
    text("trace_id", record.trace);
  }
  out += "}\n";
}

void AccessLog::Ring::note(const AccessRecord& record) noexcept {
  const std::size_t at = written_.load(std::memory_order_relaxed);
  if (at - read_.load(std::memory_order_acquire) == kCapacity) {
    log_.dropped_.add();
    return;
  }
  records_[at % kCapacity] = record;
  written_.store(at + 1, std::memory_order_release);
  if (!log_.pending_.exchange(true)) {
    log_.wake();
  }
}

AccessLog::AccessLog(const std::string& path, Format format, Counter& dropped)
    : format_(format),
      dropped_(dropped),
      file_(open_log(path)),
      thread_("maas-access", [this] { run(); }) {}

void AccessLog::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

AccessLog::Ring& AccessLog::add_ring() {
  const std::lock_guard lock(mutex_);
  return *rings_.emplace_back(std::make_unique<Ring>(*this));
}

void AccessLog::wake() noexcept {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void AccessLog::run() {
  std::string lines;
  for (bool stopping = false; !stopping;) {
    stopping = wait_for_records();
    pending_ = false;
    lines.clear();
    drain(lines);
    if (!write(lines)) {
      return;
    }
  }
}

bool AccessLog::wait_for_records() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return pending_.load() || stopping_; });
  return changed_.wait_for(lock, kGather, [this] { return stopping_; });
}

void AccessLog::drain(std::string& lines) {
  std::vector<Ring*> rings;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& ring : rings_) {
      rings.push_back(ring.get());
    }
  }
  for (Ring* ring : rings) {
    const std::size_t end = ring->written_.load(std::memory_order_acquire);
    for (std::size_t at = ring->read_.load(std::memory_order_relaxed); at != end; ++at) {
      const AccessRecord& record = ring->records_[at % Ring::kCapacity];
      format_ == Format::kJson ? append_json_line(lines, record) : append_text_line(lines, record);
      ring->read_.store(at + 1, std::memory_order_release);
    }
  }
}

bool AccessLog::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// False when the log ends and nobody takes its last lines.
bool AccessLog::wait_for_room() {
  pollfd ready{.fd = file_.get(), .events = POLLOUT, .revents = 0};
  while (::poll(&ready, 1, kLastWrite) == 0) {
    if (is_stopping()) {
      return false;
    }
  }
  return true;
}

// Likewise.
bool AccessLog::write(std::string_view text) {
  while (!text.empty()) {
    if (!wait_for_room()) {
      return false;
    }
    // A pipe that can take something takes this much without blocking.
    const auto n = ::write(file_.get(), text.data(), std::min<std::size_t>(text.size(), 4096));
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR && errno != EAGAIN) {
      dropped_.add();  // the disk is full, or the reader has gone: the next ones may fare better
      return true;
    }
  }
  return true;
}

}  // namespace maas
