// SPDX-License-Identifier: Apache-2.0
#include "maas/server/published.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maas/base/error.h"
#include "maas/server/names.h"

namespace maas {
namespace {

[[noreturn]] void refuse(ErrorCode code, const std::string& message) {
  throw Error(code, message);
}

void add_endpoints(Published& published) {
  for (const EndpointSpec& endpoint : published.catalog.endpoints) {
    if (!published.endpoints.emplace(endpoint.path, &endpoint).second) {
      throw Error(ErrorCode::kAlreadyExists,
                  "two endpoints have the path " + endpoint.path + "; give one another path");
    }
    if (!endpoint.text_model.empty()) {
      published.text_models.emplace(endpoint.text_model, &endpoint);
    }
  }
}

void add_models(Published& published) {
  for (const auto& model : published.catalog.models) {
    Published::Versions& versions = published.models[model->name()];
    const auto place =
        std::lower_bound(versions.begin(), versions.end(), model->version(),
                         [](const auto& other, int version) { return other->version() < version; });
    if (place != versions.end() && (*place)->version() == model->version()) {
      throw Error(ErrorCode::kAlreadyExists, "two models are named '" + model->name() +
                                                 "', version " + std::to_string(model->version()) +
                                                 "; give one another name or version");
    }
    versions.insert(place, model);
  }
}

void check_mounts(const Published& published) {
  std::vector<std::string_view> paths;
  for (const MountSpec& mount : published.catalog.mounts) {
    if (std::find(paths.begin(), paths.end(), mount.path) != paths.end()) {
      throw Error(ErrorCode::kAlreadyExists,
                  "two applications are mounted at " + mount.path + "/; give one another path");
    }
    paths.push_back(mount.path);
  }
}

}  // namespace

const std::shared_ptr<ServedModel>* Published::find(std::string_view name,
                                                    int version) const noexcept {
  const auto found = models.find(name);
  if (found == models.end()) {
    return nullptr;
  }
  const Versions& versions = found->second;
  if (version == 0) {
    return &versions.back();
  }
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [&](const auto& model) { return model->version() == version; });
  return at == versions.end() ? nullptr : &*at;
}

const std::shared_ptr<ServedModel>& Published::require(
    std::string_view name, std::optional<std::string_view> version) const {
  if (!is_model_name(name)) {
    refuse(ErrorCode::kInvalidArgument,
           in_quotes(name) + " is no model name; it has letters, digits, '.', '_' and '-'");
  }
  const auto number = version ? parse_version(*version) : std::optional<int>(0);
  if (!number) {
    refuse(ErrorCode::kInvalidArgument,
           in_quotes(*version) + " is no version; versions are whole numbers from 1");
  }
  if (const auto* model = find(name, *number)) {
    return *model;
  }
  if (is_unloaded(name)) {
    refuse(ErrorCode::kUnavailable, "the model " + in_quotes(name) + " is unloaded");
  }
  refuse(ErrorCode::kNotFound,
         "there is no model " + in_quotes(name) +
             (version ? " with version " + in_quotes(*version) : std::string()) +
             "; GET /v2/models lists those there are");
}

bool Published::is_unloaded(std::string_view name) const noexcept {
  return std::any_of(catalog.unloaded.begin(), catalog.unloaded.end(),
                     [&](const UnloadedModel& model) { return model.name == name; });
}

const MountSpec* Published::find_mount(std::string_view path) const noexcept {
  const MountSpec* found = nullptr;
  for (const MountSpec& mount : catalog.mounts) {
    const bool above = path.starts_with(mount.path) &&
                       (path.size() == mount.path.size() || path[mount.path.size()] == '/');
    if (above && (found == nullptr || mount.path.size() > found->path.size())) {
      found = &mount;
    }
  }
  return found;
}

std::shared_ptr<const Published> make_published(Catalog catalog) {
  auto published = std::make_shared<Published>();
  published->catalog = std::move(catalog);
  add_endpoints(*published);
  add_models(*published);
  check_mounts(*published);
  return published;
}

}  // namespace maas
