// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "maas/server/catalog.h"

namespace maas {

// A catalogue with the tables to find things in it. Immutable once made; the keys are views into
// the catalogue.
struct Published {
  using Versions = std::vector<std::shared_ptr<ServedModel>>;  // ascending

  Catalog catalog;
  std::unordered_map<std::string_view, const EndpointSpec*> endpoints;    // by path
  std::unordered_map<std::string_view, Versions> models;                  // by name
  std::unordered_map<std::string_view, const EndpointSpec*> text_models;  // by their text_model

  // The mount with the longest path above this one; null when there is none.
  [[nodiscard]] const MountSpec* find_mount(std::string_view path) const noexcept;
  // A model that could be loaded.
  [[nodiscard]] bool is_unloaded(std::string_view name) const noexcept;
  // The version that was asked for, or the newest for 0; null when there is none.
  [[nodiscard]] const std::shared_ptr<ServedModel>* find(std::string_view name,
                                                         int version = 0) const noexcept;
  // The same for names as clients write them; without a version the newest. Throws
  // invalid_argument for what is no name or version, unavailable for an unloaded model, else
  // not_found.
  [[nodiscard]] const std::shared_ptr<ServedModel>& require(
      std::string_view name, std::optional<std::string_view> version) const;
};

// Throws already_exists when two endpoints share a path, or two models name and version.
std::shared_ptr<const Published> make_published(Catalog catalog);

}  // namespace maas
