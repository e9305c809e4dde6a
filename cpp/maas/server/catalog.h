// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maas/base/clock.h"
#include "maas/batching/served_model.h"
#include "maas/runtime/ops.h"
#include "maas/tensor/tensor.h"

namespace maas {

// One key of a typed endpoint's body.
struct FieldSpec {
  std::string name;
  // A tensor of this dtype and row shape; without one any JSON, kept as text.
  std::optional<DType> dtype{};
  Shape row{};
  bool required = true;
  // Of a field that is no tensor: what a body may be that is this field as a whole, such as
  // "image/*". An endpoint with such fields takes forms too.
  std::vector<std::string> media{};
};

// How a tensor of one row is written: its values (a scalar for rank 0), or the k greatest as
// [{"label": ..., "score": ...}].
enum class Render : std::uint8_t { kValues, kTopK };

// One field of a native endpoint's answer; with an empty name it is the whole answer.
struct OutputSpec {
  std::string field;
  std::size_t source = 0;  // index into the model's outputs
  std::vector<OpPtr> ops;
  Render render = Render::kValues;
  std::int64_t k = 0;
  std::vector<std::string> labels;  // of top_k; the index itself when empty
};

// A custom path. A native one turns fields into the model's inputs and its outputs into the answer;
// otherwise the model is a Python callable that takes the fields and gives the answer's bytes.
struct EndpointSpec {
  std::string path;
  std::shared_ptr<ServedModel> model;
  std::vector<FieldSpec> fields;
  Duration timeout{};
  bool native = false;
  bool streams = false;      // it answers with a stream
  bool asks_origin = false;  // its requests carry an Origin
  std::vector<OpPtr> pre;    // applied to every field's tensor
  std::vector<OutputSpec> outputs;
  std::string operation;  // OpenAPI operation object, JSON
  // Of one that answers a text with text: its name for the protocol's generate operations, and the
  // field that takes the text. Empty for one that does not.
  std::string text_model{};
  std::string text_field{};
};

// All that lies below a path, answered by what is behind the model; see mount_handler.h.
struct MountSpec {
  std::string path;  // without a slash at its end; empty for everything
  std::shared_ptr<ServedModel> model;
};

// A model that could be loaded.
struct UnloadedModel {
  std::string name;
  int version = 1;
};

// All that is served at one time. Immutable once published; a request keeps the one it came under.
struct Catalog {
  std::vector<std::shared_ptr<ServedModel>> models;  // answer under /v2/models
  std::vector<EndpointSpec> endpoints;
  std::vector<MountSpec> mounts{};
  std::string components = "{}";  // OpenAPI schemas that the operations refer to, JSON
  std::vector<UnloadedModel> unloaded{};
  // Takes an action ("load", "unload"), a model's name and parameters, each a JSON text, and
  // answers when what they ask for is published; null when clients may not.
  std::shared_ptr<ServedModel> control{};
};

}  // namespace maas
