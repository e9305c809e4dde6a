// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/batch_codec.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <limits>
#include <new>
#include <string>
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

Tensor packed(const std::shared_ptr<const Origin>& origin) {
  if (origin == nullptr) {
    return {};
  }
  std::vector<std::string> texts = {origin->target, origin->identity};
  for (const auto& [name, value] : origin->headers) {
    texts.push_back(name);
    texts.push_back(value);
  }
  const auto count = static_cast<std::int64_t>(texts.size());
  return Tensor::from_strings(std::move(texts), {count});
}

Result<std::shared_ptr<const Origin>> unpacked(const Tensor& tensor) {
  if (tensor.is_absent()) {
    return std::shared_ptr<const Origin>();
  }
  if (tensor.dtype() != DType::kBytes || tensor.elements() < 2 || tensor.elements() % 2 != 0) {
    return no_batch();
  }
  const auto texts = tensor.strings();
  auto origin = std::make_shared<Origin>();
  origin->target = texts[0];
  origin->identity = texts[1];
  for (std::size_t i = 2; i < texts.size(); i += 2) {
    origin->headers.emplace_back(texts[i], texts[i + 1]);
  }
  return std::shared_ptr<const Origin>(std::move(origin));
}

bool has_origins(const Batch& batch) noexcept {
  return std::any_of(batch.items.begin(), batch.items.end(),
                     [](const BatchItem& item) { return item.origin != nullptr; });
}

// What the batch has of tensors: its inputs, then the origins of its items.
std::vector<Tensor> tensors_of(const Batch& batch) {
  std::vector<Tensor> tensors = batch.inputs;
  if (has_origins(batch)) {
    std::transform(batch.items.begin(), batch.items.end(), std::back_inserter(tensors),
                   [](const BatchItem& item) { return packed(item.origin); });
  }
  return tensors;
}

Flag* write(wire::Writer& writer, const Batch& batch, const Clock* clock) noexcept {
  const std::vector<Tensor> tensors = tensors_of(batch);
  writer.put(BatchHeader{static_cast<std::uint32_t>(batch.inputs.size()),
                         static_cast<std::uint32_t>(batch.items.size()), batch.rows,
                         tensors.size() > batch.inputs.size() ? 1U : 0U});
  std::byte* headers = writer.reserve(tensors.size() * sizeof(TensorHeader));
  for (const BatchItem& item : batch.items) {
    writer.put(clock != nullptr ? header_of(item, *clock) : ItemHeader{});
  }
  auto* flags = reinterpret_cast<Flag*>(writer.reserve(batch.items.size() * sizeof(Flag)));
  for (const Tensor& tensor : tensors) {
    const TensorHeader header = wire::write_tensor(writer, tensor);
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

namespace {

void follow(const Flag* flags, ReceivedBatch& received) {
  for (BatchItem& item : received.batch.items) {
    const auto cancellation = std::make_shared<Cancellation>();
    cancellation->follow(flags++);
    item.cancellation = cancellation;
    received.cancellations.push_back(cancellation);
  }
}

// The inputs, then the origins of the items.
Status take(std::vector<Tensor> tensors, std::size_t inputs, Batch& batch) {
  for (std::size_t i = inputs; i < tensors.size(); ++i) {
    auto origin = unpacked(tensors[i]);
    if (!origin) {
      return origin.error();
    }
    batch.items[i - inputs].origin = *std::move(origin);
  }
  tensors.resize(inputs);
  batch.inputs = std::move(tensors);
  return ok_status();
}

Result<std::vector<Tensor>> read_tensors(const std::vector<TensorHeader>& headers,
                                         const std::shared_ptr<SharedMemory>& memory,
                                         bool copy) {
  std::vector<Tensor> tensors;
  tensors.reserve(headers.size());
  for (const TensorHeader& header : headers) {
    Result<Tensor> tensor = wire::read_tensor(header, memory->bytes(), copy ? nullptr : memory);
    if (!tensor) {
      return tensor.error();
    }
    tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

}  // namespace

Result<ReceivedBatch> read_batch(const std::shared_ptr<SharedMemory>& memory, bool copy) {
  wire::Reader reader(memory->bytes());
  const auto header = reader.get<BatchHeader>();
  if (!header || header->rows < 0) {
    return no_batch();
  }
  const std::size_t origins = header->has_origins != 0 ? header->items : 0;
  if (!reader.fits(header->inputs + origins, sizeof(TensorHeader))) {
    return no_batch();
  }
  std::vector<TensorHeader> headers(header->inputs + origins);
  std::generate(headers.begin(), headers.end(), [&] { return *reader.get<TensorHeader>(); });
  if (!reader.fits(header->items, sizeof(ItemHeader) + sizeof(Flag))) {
    return no_batch();
  }
  Result<std::vector<Tensor>> tensors = read_tensors(headers, memory, copy);
  if (!tensors) {
    return tensors.error();
  }
  ReceivedBatch received;
  received.batch.rows = header->rows;
  received.batch.items.reserve(header->items);
  for (std::uint32_t i = 0; i < header->items; ++i) {
    received.batch.items.push_back(item_of(*reader.get<ItemHeader>()));
  }
  if (const Status taken = take(*std::move(tensors), header->inputs, received.batch); !taken) {
    return taken.error();
  }
  follow(reinterpret_cast<Flag*>(reader.take(header->items, sizeof(Flag))), received);
  return received;
}

void ReceivedBatch::release() noexcept {
  for (const auto& cancellation : cancellations) {
    cancellation->follow(nullptr);
  }
}

}  // namespace maas
