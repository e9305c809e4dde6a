// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/batch_codec.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

#include "maas/workers/tensor_codec.h"
#include "maas/workers/wire.h"

namespace maas {
namespace {

using wire::BatchHeader;
using wire::ItemHeader;
using wire::TensorHeader;
using Flag = std::atomic<bool>;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

Error no_batch() {
  return {ErrorCode::kInvalidArgument, "the shared memory holds no batch"};
}

// The clock may be one that a test moves: what is left on it is left on the machine's as well.
std::int64_t machine_time(Deadline deadline, const Clock& clock) noexcept {
  if (deadline.is_never()) {
    return kNever;
  }
  const auto at = std::chrono::steady_clock::now() + (deadline.at() - clock.now());
  return std::chrono::nanoseconds(at.time_since_epoch()).count();
}

ItemHeader header_of(const BatchItem& item, const Clock& clock) noexcept {
  ItemHeader header;
  const std::string_view id = item.id.text();
  header.id_size = static_cast<std::uint8_t>(std::min(id.size(), sizeof(header.id)));
  std::copy_n(id.begin(), header.id_size, header.id);
  header.rows = item.rows;
  header.priority = item.priority;
  header.deadline_ns = machine_time(item.deadline, clock);
  return header;
}

Flag* write(wire::Writer& writer, const Batch& batch, const Clock* clock) noexcept {
  writer.put(BatchHeader{static_cast<std::uint32_t>(batch.inputs.size()),
                         static_cast<std::uint32_t>(batch.items.size()), batch.rows});
  std::byte* headers = writer.reserve(batch.inputs.size() * sizeof(TensorHeader));
  for (const BatchItem& item : batch.items) {
    writer.put(clock != nullptr ? header_of(item, *clock) : ItemHeader{});
  }
  auto* flags = reinterpret_cast<Flag*>(writer.reserve(batch.items.size() * sizeof(Flag)));
  for (const Tensor& input : batch.inputs) {
    const TensorHeader header = wire::write_tensor(writer, input);
    if (headers != nullptr) {
      std::memcpy(headers, &header, sizeof(header));
      headers += sizeof(header);
    }
  }
  return flags;
}

BatchItem item_of(const ItemHeader& header) noexcept {
  BatchItem item;
  item.id = RequestId::from({header.id, std::min<std::size_t>(header.id_size, sizeof(header.id))});
  item.rows = header.rows;
  item.priority = header.priority;
  if (header.deadline_ns != kNever) {
    item.deadline = Deadline(TimePoint(std::chrono::nanoseconds(header.deadline_ns)));
  }
  return item;
}

}  // namespace

std::size_t batch_size(const Batch& batch) noexcept {
  wire::Writer count;
  write(count, batch, nullptr);
  return count.offset();
}

std::span<std::atomic<bool>> write_batch(const Batch& batch,
                                         const Clock& clock,
                                         const SharedMemory& memory) noexcept {
  wire::Writer writer(memory.bytes());
  Flag* flags = write(writer, batch, &clock);
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    new (flags + i) Flag(false);
  }
  return {flags, batch.items.size()};
}

Result<ReceivedBatch> read_batch(const std::shared_ptr<SharedMemory>& memory, bool copy) {
  wire::Reader reader(memory->bytes());
  const auto header = reader.get<BatchHeader>();
  if (!header || header->rows < 0 || !reader.fits(header->inputs, sizeof(TensorHeader))) {
    return no_batch();
  }
  std::vector<TensorHeader> inputs(header->inputs);
  std::generate(inputs.begin(), inputs.end(), [&] { return *reader.get<TensorHeader>(); });
  if (!reader.fits(header->items, sizeof(ItemHeader) + sizeof(Flag))) {
    return no_batch();
  }
  ReceivedBatch received;
  received.batch.rows = header->rows;
  for (std::uint32_t i = 0; i < header->items; ++i) {
    received.batch.items.push_back(item_of(*reader.get<ItemHeader>()));
  }
  auto* flags = reinterpret_cast<Flag*>(reader.take(header->items, sizeof(Flag)));
  for (BatchItem& item : received.batch.items) {
    const auto cancellation = std::make_shared<Cancellation>();
    cancellation->follow(flags++);
    item.cancellation = cancellation;
    received.cancellations.push_back(cancellation);
  }
  for (const TensorHeader& input : inputs) {
    Result<Tensor> tensor = wire::read_tensor(input, memory->bytes(), copy ? nullptr : memory);
    if (!tensor) {
      received.release();
      return tensor.error();
    }
    received.batch.inputs.push_back(*std::move(tensor));
  }
  return received;
}

void ReceivedBatch::release() noexcept {
  for (const auto& cancellation : cancellations) {
    cancellation->follow(nullptr);
  }
}

}  // namespace maas
