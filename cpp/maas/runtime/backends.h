// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "maas/runtime/model.h"

namespace maas {

// A saved model to load.
struct ModelSource {
  std::string path;
  // What the file holds, when its format does not say it.
  std::optional<Signature> declared;
};

// Turns model files of one format into models. Each back-end is a shared library of its own, so
// that nobody pays for an engine that no model needs.
class Backend {
 public:
  virtual ~Backend() = default;
  // Throws not_found or invalid_argument with what is wrong with the file.
  [[nodiscard]] virtual std::unique_ptr<Model> load(const ModelSource& source) const = 0;
};

// Loads a model with the back-end for its file's suffix, loading the back-end's library first when
// need be. Throws Error: not_found (no such file), invalid_argument (not a model, or of a format no
// back-end reads), unavailable (the back-end's library cannot be loaded).
std::unique_ptr<Model> load_model(const ModelSource& source);

}  // namespace maas
